import * as v from 'valibot';
import { OperatorError } from '../operator-errors.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.minValue(1));

const Filter = v.strictObject({
  fingerprint: v.optional(v.string()),
  since: v.optional(v.number()),
  until: v.optional(v.number()),
  key: v.optional(v.string()),
  partition: v.optional(count),
  fromOffset: v.optional(count),
  toOffset: v.optional(count),
  errorName: v.optional(v.string()),
  id: v.optional(v.string()),
});

const Cursor = v.strictObject({
  originTopic: v.string(),
  originPartition: count,
  originOffset: count,
  partition: count,
  offset: count,
});

const Request = v.variant('type', [
  v.strictObject({ type: v.literal('topics'), countLetters: v.optional(v.boolean()) }),
  v.strictObject({ type: v.literal('groups'), filter: Filter }),
  v.strictObject({ type: v.literal('letters'), filter: Filter, limit: positive, after: v.optional(Cursor) }),
  v.strictObject({ type: v.literal('letter'), id: v.string() }),
  v.strictObject({
    type: v.picklist(['redrive', 'purge']),
    filter: Filter,
    dryRun: v.boolean(),
    rate: v.optional(positive),
    maxRedrives: v.optional(positive),
    includeDoubtful: v.optional(v.boolean()),
    by: v.string(),
  }),
  v.strictObject({
    type: v.literal('replay'),
    partition: count,
    fromOffset: count,
    toOffset: count,
    dryRun: v.boolean(),
    by: v.string(),
  }),
]);

/** What an operator may ask of a consumer's Kafka topics. Plain data: it goes to the operator function as it is. */
export type OperatorRequest = v.InferOutput<typeof Request>;

/** @throws LockstepError OPERATOR_REQUEST_INVALID naming the field */
export function readOperatorRequest(value: unknown): OperatorRequest {
  const parsed = v.safeParse(Request, value);
  if (parsed.success) return parsed.output;
  const wrong = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'request'}: ${issue.message}`);
  throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected a request of an operator: ${wrong.join('; ')}`);
}
