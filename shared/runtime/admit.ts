import { latestStart } from '../decide/deadline.ts';
import type { Stage } from '../decide/progress.ts';
import { decideStart, type ErrorClass, isBreakerOpen } from '../decide/retry-policy.ts';
import { isFull } from '../decide/settle.ts';
import { LockstepError } from '../errors.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import { type DecodedRecord, decodeRecord } from './decode-record.ts';
import { runHandler } from './handler-run.ts';
import type { KeyVerdict } from './key-claims.ts';
import { onceKnown } from './once-known.ts';
import type { NotAttemptedReason } from './outcome.ts';
import { mayPark, parkedFull } from './park.ts';
import type { PartitionRun } from './partition-run.ts';
import { keyedValue } from './prepare-keys.ts';
import { type Call, isCall } from './schedule.ts';
import { enterIsolated, leaveIsolated } from './turn.ts';

/** A call that may be made now. */
export interface ReadyCall<V> {
  readonly type: 'ready';
  readonly delivered: Call<DeliveredRecord>;
  /** The same records with their values. */
  readonly records: readonly ConsumerRecord<V>[];
  /** Records that settle with the call: each has the idempotency key and the value of one of `delivered`. */
  readonly duplicates: readonly DeliveredRecord[];
  /** The call is made in crash isolation. It has entered the sandbox already. */
  readonly isolated: boolean;
}

/** A try that ended in an error. */
export interface Failed {
  readonly type: 'failed';
  readonly error: unknown;
  readonly stage: Stage;
  /** Set where the error itself does not say how it counts. */
  readonly errorClass?: ErrorClass;
}

/** Why a record does not go to the handler. */
export type NotReady =
  | Failed
  /** The work of these records was done before. */
  | { readonly type: 'duplicate'; readonly duplicates: readonly DeliveredRecord[] }
  /** The record gets its dead letter without another try. */
  | { readonly type: 'exhausted' }
  /** An earlier record of its key is parked: it waits behind that, untried. */
  | { readonly type: 'parked' }
  /** The decoder or `idempotencyKey` still runs, and the invocation must answer. */
  | { readonly type: 'stalled' }
  | NotStarted;

/** The record does not start now. */
export interface NotStarted {
  readonly type: 'notStarted';
  readonly reason: NotAttemptedReason;
  readonly until?: EpochMs;
}

/** Whether a call may be made. If not, the reason concerns its first record alone, except for duplicates. */
export type Admission<V> = ReadyCall<V> | NotReady;

/** A single record after decoding and the question for its key: its value, or why it is not ready. */
type Readiness<V> = Extract<DecodedRecord<V>, { readonly type: 'decoded' }> | NotReady;

const NO_DUPLICATES: readonly DeliveredRecord[] = [];
const USED = { type: 'used' } as const;

/** Decodes the records of a call and asks for their idempotency keys. */
export function admit<V>(run: PartitionRun<V>, call: Call<DeliveredRecord>): Promise<Admission<V>> | Admission<V> {
  const now = run.ports.clock.now();
  const refusal = refusalOf(run, call[0], now);
  if (refusal !== undefined) return refusal;
  if (isIsolated(run, call[0])) return admitIsolated(run, call[0]);
  return call.length === 1 ? admitOne(run, call[0], now, false) : admitSeveral(run, call, now);
}

/** Why a record may not start, judged by the ledger, the time and the room in the ledger's item. */
function refusalOf<V>(run: PartitionRun<V>, record: DeliveredRecord, now: EpochMs): NotReady | undefined {
  const { lease, ports, invocation, consumer, open, failedTries, parkedKeys } = run;
  const isParked = parkedKeys?.isParked(record) ?? false;
  const { offset } = record;
  const isPlain = lease.isPlain(offset);
  if (!isPlain) {
    const { blockedRecords, consecutiveDeadLetters } = lease.progress;
    const { retry } = consumer.policy;
    const breakerOpen = isBreakerOpen(consecutiveDeadLetters, retry);
    const start = decideStart(blockedRecords.get(offset), retry, breakerOpen, now);
    if (start.type === 'giveUp' && (start.isExhausted || !isParked)) {
      // Where no more may be parked it waits, untried.
      return start.isExhausted || mayPark(run, record) ? { type: 'exhausted' } : parkedFull(run);
    }
    if (start.type === 'backOff' && !isParked) return { type: 'notStarted', reason: 'backOff', until: start.until };
  }
  // The first record of an invocation starts as long as any may. Otherwise none would ever start.
  const isFirst = offset === open[0]?.offset && !failedTries.has(offset);
  const { plan } = invocation;
  if (now >= (isFirst ? plan.abortAt : latestStart(plan, ports.sandbox.longestHandlerMs)))
    return notStarted('deadline');
  if (isParked) return { type: 'parked' };
  if (isPlain || !isFull(lease.progress)) return undefined;
  // A blocked record, and the earliest unsettled one, take no more room in the item. Nothing is forgotten to make room.
  const takesNoRoom = lease.progress.blockedRecords.has(offset) || offset === lease.lowestUnsettled;
  return takesNoRoom ? undefined : notStarted('full');
}

function isIsolated<V>({ lease }: PartitionRun<V>, { offset }: DeliveredRecord): boolean {
  if (lease.isPlain(offset)) return false;
  const { isolateUntil } = lease.progress;
  return isolateUntil !== undefined && offset <= isolateUntil;
}

/**
 * In crash isolation the decoder and `idempotencyKey` run in the sandbox, too: each of them may end the process or never end.
 */
async function admitIsolated<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<Admission<V>> {
  const { decoded, keys, invocation, ports, consumer } = run;
  const refusal = await enterIsolated(run, record);
  if (refusal !== undefined) return { type: 'notStarted', reason: refusal };
  let leavesLate = false;
  let admission: Admission<V> | undefined;
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
    admission = await admitOne(run, record, ports.clock.now(), true);
    return admission;
  } finally {
    if (!leavesLate && admission?.type !== 'ready') void leaveIsolated(run);
  }
}

function admitOne<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  now: EpochMs,
  isolated: boolean,
): Promise<Admission<V>> | Admission<V> {
  const readiness = onceKnown(mayStart(run, now), (may) => (may ? readinessOf(run, record) : notStarted('fenced')));
  return onceKnown(readiness, (known) =>
    known.type === 'decoded'
      ? { type: 'ready', delivered: [record], records: [known.record], duplicates: NO_DUPLICATES, isolated }
      : known,
  );
}

/** Whether the lease lets a record start. */
function mayStart<V>({ lease }: PartitionRun<V>, now: EpochMs): Promise<boolean> | boolean {
  return lease.mayStartAt(now) || lease.mayStart();
}

/** Admits the records that are ready. A record that is not ready keeps later ones of its ordering unit out of the call. */
async function admitSeveral<V>(run: PartitionRun<V>, call: Call<DeliveredRecord>, now: EpochMs): Promise<Admission<V>> {
  const { keys, unitOf } = run;
  if (!(await mayStart(run, now))) return notStarted('fenced');
  const delivered: DeliveredRecord[] = [];
  const records: ConsumerRecord<V>[] = [];
  const duplicates: DeliveredRecord[] = [];
  const keptOut = new Set<unknown>();
  for (const record of call) {
    if (keptOut.has(unitOf(record))) continue;
    const leader = record === call[0] ? undefined : keys?.waitsFor(record);
    if (leader !== undefined && delivered.includes(leader) && keys?.repeats(record, leader)) {
      duplicates.push(record);
      continue;
    }
    const readiness = leader === undefined ? await readinessOf(run, record) : notStarted('keyHeld');
    if (readiness.type === 'decoded') {
      delivered.push(record);
      records.push(readiness.record);
    } else if (readiness.type === 'duplicate') duplicates.push(record);
    else if (record === call[0]) return readiness;
    else keptOut.add(unitOf(record));
  }
  return isCall(delivered)
    ? { type: 'ready', delivered, records, duplicates, isolated: false }
    : { type: 'duplicate', duplicates };
}

/** Decodes a record and asks what its idempotency key says. */
function readinessOf<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<Readiness<V>> | Readiness<V> {
  const known = run.decoded.get(record.offset);
  // A handler may change the value that it gets, so each try gets a new one.
  if (known?.type === 'decoded') run.decoded.set(record.offset, USED);
  const decoded = known === undefined || known.type === 'used' ? decodeRecord(run.consumer, record) : known;
  return onceKnown(decoded, (value) => readinessOfValue(run, record, value));
}

function readinessOfValue<V>(
  { consumer, keys, ports }: PartitionRun<V>,
  record: DeliveredRecord,
  decoded: DecodedRecord<V>,
): Promise<Readiness<V>> | Readiness<V> {
  if (decoded.type === 'undecodable') {
    const { error, stage } = decoded;
    const errorClass = consumer.policy.onUndecodable === 'retry' ? 'retryable' : 'nonRetryable';
    return { type: 'failed', error, stage, errorClass };
  }
  if (decoded.type === 'forOthers') {
    ports.telemetry.count('RecordsForOtherGroups');
    return duplicate(record);
  }
  if (decoded.type === 'gone') return duplicate(record);
  if (decoded.type === 'keyless')
    return { type: 'failed', error: decoded.error, stage: 'idempotency', errorClass: 'nonRetryable' };
  if (keys === undefined) return decoded;
  const follow = (verdict: KeyVerdict): Readiness<V> => {
    switch (verdict.type) {
      case 'run':
        return decoded;
      case 'held':
        return notStarted('keyHeld');
      case 'duplicate':
        return duplicate(record);
      case 'reused':
        return consumer.policy.onKeyReuse === 'skip' ? duplicate(record) : reused(record, verdict.by);
    }
  };
  return onceKnown(keys.verdict(record), follow);
}

function reused({ position }: DeliveredRecord, by: string): Failed {
  const error = new LockstepError(
    'IDEMPOTENCY_KEY_REUSED',
    `idempotency key of ${position} was used by ${by} with another value`,
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
