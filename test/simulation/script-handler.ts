import { BatchFailure, NonRetryableError, PauseError } from '../../shared/errors.ts';
import type { ConsumerRecord } from '../../shared/record/consumer-record.ts';
import type { RecordContext } from '../../shared/runtime/consumer.ts';
import type { Host } from '../../shared/testing/host.ts';
import type { Random } from '../../shared/testing/random.ts';
import type { HistoryEvent, RunEnd, SimInvocation } from './history.ts';
import { type LogRecord, TRUTH_HEADER } from './kafka-log.ts';

/** What the scripted handlers of one run have in common. */
export interface HandlerWorld {
  readonly emit: (event: HistoryEvent) => void;
  readonly chance: Random;
  /** Whether each record has an effect in the ledger's transaction, and passes something on. */
  readonly transacts: boolean;
  readonly produces: boolean;
  /** How often a record's script has had its way. */
  readonly runs: Map<LogRecord, number>;
}

/** One call of the handler: one record, or several of `onBatch`. */
export function runScript(
  world: HandlerWorld,
  host: Host,
  invocation: SimInvocation,
  records: readonly LogRecord[],
  given: readonly ConsumerRecord<unknown>[],
  context: RecordContext,
): Promise<void> {
  const { emit, chance, runs } = world;
  for (const record of records)
    emit({ type: 'started', invocation, record, attempt: context.attempt, epoch: context.epoch });
  const culprit = records.find((record) => (runs.get(record) ?? 0) < record.script.times);
  if (culprit !== undefined) runs.set(culprit, (runs.get(culprit) ?? 0) + 1);
  const handlerMs = chance.between(1, 400);
  if (culprit?.script.does === 'badThenable')
    return badThenable(failure(world, invocation, records, culprit, 'failed', new Error('no query'), context));
  return new Promise((resolve, reject) => {
    const after = (ms: number, end: () => void) => void host.in(ms, end);
    const succeed = () => {
      // One that ends after its invocation has answered is refused what it adds, as any handler is.
      try {
        for (const [index, record] of records.entries()) leave(world, record, given[index], context);
      } catch (error) {
        reject(error);
      }
      for (const record of records) emit({ type: 'ended', invocation, record, how: 'succeeded', call: records });
      resolve();
    };
    const fail = (how: RunEnd, error: unknown) =>
      after(handlerMs, () => reject(failure(world, invocation, records, culprit, how, error, context)));
    switch (culprit?.script.does) {
      case 'fails':
        return fail('failed', new Error(`failed at ${culprit.offset}`));
      case 'throwsOddly':
        return fail('failed', chance.pick(ODD)());
      case 'nonRetryable':
        return fail('nonRetryable', new NonRetryableError('refused', { code: 'SIMULATED' }));
      case 'pauses':
        return fail('paused', new PauseError({ resumeAfterMs: chance.pick([300, 5_000, 60_000]) }));
      case 'kills':
        return after(handlerMs, () => host.die('its handler'));
      case 'hangs':
        return;
      case 'blocks':
        invocation.disturbed = true;
        host.freeze(chance.between(5_000, 40_000));
        return after(handlerMs, succeed);
      case 'slow':
        return after(20_000, succeed);
      default:
        return after(handlerMs, succeed);
    }
  });
}

/** What a call that failed leaves behind: what it throws names its culprit, or does not. */
function failure(
  { emit, chance, transacts, produces }: HandlerWorld,
  invocation: SimInvocation,
  records: readonly LogRecord[],
  culprit: LogRecord | undefined,
  how: RunEnd,
  error: unknown,
  context: RecordContext,
): unknown {
  const isAlone = records.length === 1;
  const hasEffects = (transacts || produces) && !isAlone;
  // Nobody knows whose effects these are: then it does not count whom the call names.
  if (hasEffects) context.transact(effectOf(-1));
  const isNamed = !isAlone && chance.chance(0.6);
  const counts = isAlone || (isNamed && !hasEffects);
  const before = records.slice(0, culprit === undefined ? 0 : records.indexOf(culprit));
  for (const record of records) {
    const itself = record === culprit ? how : before.includes(record) ? 'succeeded' : 'untried';
    emit({ type: 'ended', invocation, record, how: counts ? itself : 'untried' });
  }
  return isNamed && culprit !== undefined ? new BatchFailure(culprit, { cause: error }) : error;
}

/** What is thrown and is no error. */
const ODD: readonly [() => unknown, ...(() => unknown)[]] = [
  () => undefined,
  () => null,
  () => 'a text',
  () => Object.create(null),
  () => ({
    get message() {
      throw new Error('nobody reads me');
    },
  }),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
];

/** What a query builder is that finds its query wrong only when it is awaited. */
function badThenable(error: unknown): Promise<void> {
  return Object.defineProperty({}, 'then', {
    value: () => {
      throw error;
    },
  }) as Promise<void>;
}

/** The index of a record as an effect; -1 of none. */
function effectOf(index: number) {
  return { Put: { TableName: 'effects', Item: { record: { N: `${index}` } } } };
}

function leave(
  { transacts, produces }: HandlerWorld,
  record: LogRecord,
  from: ConsumerRecord<unknown> | undefined,
  context: RecordContext,
): void {
  if (transacts) context.transact(effectOf(record.index));
  const headers = { [TRUTH_HEADER]: `${record.index}` };
  if (produces) context.produce('shipments', { value: record.content, headers, ...(from !== undefined && { from }) });
}
