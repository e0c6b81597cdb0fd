import { latestStart } from '../decide/deadline.ts';
import type { Stage } from '../decide/progress.ts';
import { decideStart, type ErrorClass, isBreakerOpen } from '../decide/retry-policy.ts';
import { isFull } from '../decide/settle.ts';
import { LockstepError } from '../errors.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { decodeRecord } from './decode-record.ts';
import { runHandler } from './handler-run.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { keyedValue } from './prepare-keys.ts';
import type { Call } from './schedule.ts';
import { enterIsolated, leaveIsolated } from './turn.ts';

/** A call that may be made. */
export interface ReadyCall<V> {
  readonly type: 'ready';
  readonly delivered: Call<DeliveredRecord>;
  /** The same, with their values. */
  readonly records: readonly ConsumerRecord<V>[];
  /** Records that settle with the call, since one of `delivered` has the same idempotency key and the same value. */
  readonly duplicates: readonly DeliveredRecord[];
  /** The call is made in crash isolation: it is in the sandbox already. */
  readonly isolated: boolean;
}

/** A try that ended in an error. */
export interface Failed {
  readonly type: 'failed';
  readonly error: unknown;
  readonly stage: Stage;
  /** Where the error itself does not say. */
  readonly errorClass?: ErrorClass;
}

/** Why a record is not handed to the handler. */
export type NotReady =
  | Failed
  /** The work for these was done before. */
  | { readonly type: 'duplicate'; readonly duplicates: readonly DeliveredRecord[] }
  /** It gets its dead letter without another try. */
  | { readonly type: 'exhausted' }
  /** Its decoder or `idempotencyKey` still runs though the invocation must answer. */
  | { readonly type: 'stalled' }
  | NotStarted;

/** Not now. */
export interface NotStarted {
  readonly type: 'notStarted';
  readonly reason: NotAttemptedReason;
  readonly until?: EpochMs;
}

/** Whether a call may be made. Why not concerns its first record alone, except for duplicates. */
export type Admission<V> = ReadyCall<V> | NotReady;

/** A single record, looked at. */
type Readiness<V> = { readonly type: 'ready'; readonly record: ConsumerRecord<V> } | NotReady;

/** Decodes the records of a call and asks for their idempotency keys. */
export async function admit<V>(run: PartitionRun<V>, call: Call<DeliveredRecord>): Promise<Admission<V>> {
  const [first] = call;
  const { lease, ports } = run;
  const refusal = refusalOf(run, first);
  if (refusal !== undefined) return refusal;
  if (!lease.mayStartAt(ports.clock.now()) && !(await lease.mayStart())) return notStarted('fenced');
  if (isIsolated(run, first)) return admitIsolated(run, first);
  if (call.length > 1) return admitSeveral(run, call);
  const readiness = await look(run, first);
  return readiness.type === 'ready' ? readyCall(first, readiness.record, false) : readiness;
}

function readyCall<V>(delivered: DeliveredRecord, record: ConsumerRecord<V>, isolated: boolean): ReadyCall<V> {
  return { type: 'ready', delivered: [delivered], records: [record], duplicates: [], isolated };
}

/** Why a record may not start, as far as the ledger, the time and the room in the ledger's item say. */
function refusalOf<V>(run: PartitionRun<V>, record: DeliveredRecord): NotReady | undefined {
  const { lease, ports, invocation, consumer, open, failedTries } = run;
  const { offset } = record;
  const now = ports.clock.now();
  const isPlain = lease.isPlain(offset);
  if (!isPlain) {
    const { blockedRecords, consecutiveDeadLetters } = lease.progress;
    const { retry } = consumer.policy;
    const start = decideStart(blockedRecords.get(offset), retry, isBreakerOpen(consecutiveDeadLetters, retry), now);
    if (start.type === 'giveUp') return { type: 'exhausted' };
    if (start.type === 'backOff') return { type: 'notStarted', reason: 'backOff', until: start.until };
  }
  // The first record of an invocation starts as long as anything may, or nothing ever would.
  const isFirst = offset === open[0]?.offset && !failedTries.has(offset);
  const { plan } = invocation;
  if (now >= (isFirst ? plan.abortAt : latestStart(plan, ports.sandbox.longestHandlerMs)))
    return notStarted('deadline');
  if (isPlain || !isFull(lease.progress)) return undefined;
  // A blocked record and the earliest one, which fills a hole, take no more room. Nothing is ever forgotten to make some.
  const takesNoRoom = lease.progress.blockedRecords.has(offset) || offset === lease.lowestUnsettled;
  return takesNoRoom ? undefined : notStarted('full');
}

function isIsolated<V>({ lease }: PartitionRun<V>, { offset }: DeliveredRecord): boolean {
  if (lease.isPlain(offset)) return false;
  const { isolateUntil } = lease.progress;
  return isolateUntil !== undefined && offset <= isolateUntil;
}

/** In crash isolation the decoder and `idempotencyKey` run in the record's turn too: they may be what kills the process or never ends. */
async function admitIsolated<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<Admission<V>> {
  const { decoded, keys, invocation, ports, consumer } = run;
  const refusal = await enterIsolated(run, record);
  if (refusal !== undefined) return { type: 'notStarted', reason: refusal };
  let leavesLate = false;
  let readiness: Readiness<V> | undefined;
  try {
    let keyed: ReturnType<typeof keyedValue>;
    const read = async () => {
      const known = decoded.get(record.offset);
      if (known === undefined) keyed = keyedValue(run, record, await decodeRecord(consumer, record));
      else if (known.type === 'used') decoded.set(record.offset, await decodeRecord(consumer, record));
    };
    const reading = await runHandler(read, invocation, ports.sandbox, () => {
      if (leavesLate) ports.sandbox.leave();
    });
    if (reading.type === 'failed') throw reading.error;
    if (reading.type === 'stalled') {
      leavesLate = true;
      return reading;
    }
    if (keyed !== undefined) await keys?.prepare([keyed]);
    readiness = await look(run, record);
    return readiness.type === 'ready' ? readyCall(record, readiness.record, true) : readiness;
  } finally {
    if (!leavesLate && readiness?.type !== 'ready') void leaveIsolated(run);
  }
}

/** As many of the records as are ready. One that is not keeps those behind it in its ordering unit out of the call. */
async function admitSeveral<V>(run: PartitionRun<V>, call: Call<DeliveredRecord>): Promise<Admission<V>> {
  const { keys, unitOf } = run;
  const [first] = call;
  const ready = new Map<DeliveredRecord, ConsumerRecord<V>>();
  const duplicates: DeliveredRecord[] = [];
  const keptOut = new Set<unknown>();
  for (const record of call) {
    if (keptOut.has(unitOf(record))) continue;
    const leader = record === first ? undefined : keys?.waitsFor(record);
    if (leader !== undefined && ready.has(leader) && keys?.repeats(record, leader)) {
      duplicates.push(record);
      continue;
    }
    const readiness = leader === undefined ? await look(run, record) : notStarted('keyHeld');
    if (readiness.type === 'ready') ready.set(record, readiness.record);
    else if (readiness.type === 'duplicate') duplicates.push(record);
    else if (record === first) return readiness;
    else keptOut.add(unitOf(record));
  }
  const [firstReady, ...moreReady] = ready.keys();
  if (firstReady === undefined) return { type: 'duplicate', duplicates };
  const delivered: Call<DeliveredRecord> = [firstReady, ...moreReady];
  return { type: 'ready', delivered, records: [...ready.values()], duplicates, isolated: false };
}

/** Decodes a record and asks what its idempotency key says. */
async function look<V>(run: PartitionRun<V>, delivered: DeliveredRecord): Promise<Readiness<V>> {
  const { consumer, keys } = run;
  const known = run.decoded.get(delivered.offset);
  // A handler may change the value that it gets: each try has one of its own.
  if (known?.type === 'decoded') run.decoded.set(delivered.offset, { type: 'used' });
  const decoded = known === undefined || known.type === 'used' ? await decodeRecord(consumer, delivered) : known;
  if (decoded.type === 'undecodable') {
    const { error, stage } = decoded;
    const errorClass = consumer.policy.onUndecodable === 'retry' ? 'retryable' : 'nonRetryable';
    return { type: 'failed', error, stage, errorClass };
  }
  if (decoded.type === 'keyless')
    return { type: 'failed', error: decoded.error, stage: 'idempotency', errorClass: 'nonRetryable' };
  if (keys === undefined) return { type: 'ready', record: decoded.record };
  const verdict = await keys.verdict(delivered);
  switch (verdict.type) {
    case 'run':
      return { type: 'ready', record: decoded.record };
    case 'held':
      return notStarted('keyHeld');
    case 'duplicate':
      return duplicate(delivered);
    case 'reused':
      return consumer.policy.onKeyReuse === 'skip' ? duplicate(delivered) : reused(delivered, verdict.by);
  }
}

function reused({ position }: DeliveredRecord, by: string): Failed {
  const error = new LockstepError(
    'IDEMPOTENCY_KEY_REUSED',
    `idempotency key of ${position} was used by ${by} for another value`,
  );
  return { type: 'failed', error, stage: 'idempotency', errorClass: 'nonRetryable' };
}

function duplicate(record: DeliveredRecord): NotReady {
  return { type: 'duplicate', duplicates: [record] };
}

/** The first record of a call may not start now. */
export function notStarted(reason: NotAttemptedReason): NotStarted {
  return { type: 'notStarted', reason };
}
