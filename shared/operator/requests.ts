import * as v from 'valibot';
import { OperatorError } from '../operator-errors.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const partition = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1));
/** Milliseconds since 1970, as a date may have them. */
const time = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15));
/** Long enough for every id, and for every key that somebody would type. */
const text = v.pipe(v.string(), v.maxLength(4_096));
const someText = v.pipe(text, v.minLength(1));
/** Who sends the request: an ARN or a name, in printable characters. */
const who = v.pipe(v.string(), v.minLength(1), v.maxLength(512), v.regex(/^[\x20-\x7e]+$/, 'Invalid name'));

const Filter = v.pipe(
  v.strictObject({
    fingerprint: v.optional(someText),
    since: v.optional(time),
    until: v.optional(time),
    key: v.optional(text),
    partition: v.optional(partition),
    fromOffset: v.optional(count),
    toOffset: v.optional(count),
    errorName: v.optional(someText),
    id: v.optional(someText),
  }),
  v.check(({ fromOffset = 0, toOffset = Number.MAX_SAFE_INTEGER }) => fromOffset <= toOffset, 'Invalid span'),
  v.check(
    ({ partition: of, fromOffset, toOffset }) => of !== undefined || (fromOffset ?? toOffset) === undefined,
    'Offsets without a partition',
  ),
);

const Cursor = v.strictObject({
  originTopic: v.pipe(v.string(), v.maxLength(249)),
  originPartition: partition,
  originOffset: count,
  partition,
  offset: count,
});

const Request = v.variant('type', [
  v.strictObject({ type: v.literal('topics'), countLetters: v.optional(v.boolean()) }),
  v.strictObject({ type: v.literal('groups'), filter: Filter }),
  v.strictObject({ type: v.literal('letters'), filter: Filter, limit: positive, after: v.optional(Cursor) }),
  v.strictObject({ type: v.literal('letter'), id: someText }),
  v.pipe(
    v.strictObject({
      type: v.literal('records'),
      id: v.optional(someText),
      partition: v.optional(partition),
      offset: v.optional(count),
      before: v.pipe(count, v.maxValue(1_000)),
      of: v.picklist(['key', 'partition']),
    }),
    v.check(
      ({ id, partition: at, offset }) => (id === undefined) === (at !== undefined && offset !== undefined),
      'Neither a dead letter nor a record, or both',
    ),
  ),
  v.strictObject({ type: v.literal('release'), partition, parkedKey: someText, sequence: someText, by: who }),
  v.strictObject({
    type: v.literal('parkedLetters'),
    sequence: someText,
    lines: v.optional(v.pipe(positive, v.maxValue(500))),
  }),
  v.strictObject({ type: v.literal('foreign'), limit: v.pipe(positive, v.maxValue(1_000)) }),
  v.strictObject({
    type: v.picklist(['redrive', 'purge']),
    filter: Filter,
    dryRun: v.boolean(),
    rate: v.optional(v.pipe(positive, v.maxValue(1_000_000))),
    maxRedrives: v.optional(v.pipe(positive, v.maxValue(1_000_000))),
    includeDoubtful: v.optional(v.boolean()),
    by: who,
  }),
  v.pipe(
    v.strictObject({
      type: v.literal('replay'),
      partition,
      fromOffset: count,
      toOffset: count,
      dryRun: v.boolean(),
      by: who,
    }),
    v.check(({ fromOffset, toOffset }) => fromOffset <= toOffset, 'Invalid span'),
  ),
]);

/**
 * The requests that an operator may send about a consumer's Kafka topics. Plain data: it is sent to the operator function as it
 * is.
 */
export type OperatorRequest = v.InferOutput<typeof Request>;

/** @throws LockstepError OPERATOR_REQUEST_INVALID naming the field */
export function readOperatorRequest(value: unknown): OperatorRequest {
  const parsed = v.safeParse(Request, value);
  if (parsed.success) return parsed.output;
  const wrong = parsed.issues.slice(0, MOST_ISSUES).map((issue) => {
    // Anybody may have sent the request: what it says is not repeated, and of the names in it only what is plain text.
    const [what = ''] = issue.message.split(' but received ');
    return `${(v.getDotPath(issue) ?? 'request').slice(0, MOST_OF_A_NAME)}: ${what}`;
  });
  const text = wrong.join('; ').replace(/[^\x20-\x7e]/g, '?');
  throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected a request of an operator: ${text}`);
}

/** What is told of a request that is wrong. */
const MOST_ISSUES = 5;
const MOST_OF_A_NAME = 100;
