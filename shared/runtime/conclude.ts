import { summarizeError } from '../decide/error-summary.ts';
import type { BlockedRecord } from '../decide/progress.ts';
import { backOffMs, pausedRecord } from '../decide/retry-policy.ts';
import { blockedRecordOf, withBlockedRecord } from '../decide/settle.ts';
import { readThrown } from '../decide/thrown.ts';
import { LockstepError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { NotReady } from './admit.ts';
import type { CallEnd, HandedOver } from './call-handler.ts';
import { commit, settle } from './commit.ts';
import { countFailure } from './count-failure.ts';
import { sendLetter } from './dead-letters.ts';
import type { Outcome } from './outcome.ts';
import { markParked, mayPark, parkedFull, parksKey } from './park.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';
import { isCall } from './schedule.ts';

/** A record and its outcome. */
export interface Ended {
  readonly record: DeliveredRecord;
  readonly outcome: Outcome;
}

type Succeeded = Extract<CallEnd, { readonly type: 'succeeded' }>;
type Failed = Extract<CallEnd, { readonly type: 'failed' }>;
type Paused = Extract<CallEnd, { readonly type: 'paused' }>;

const HANDLED: Outcome = { type: 'handled' };
const DUPLICATE: Outcome = { type: 'duplicate' };

/**
 * Acts on how a call ended: its records are settled, counted or dead-lettered, or the partition pauses.
 *
 * @param first - the first record of the call
 * @returns the records that have an outcome; the others of the call are due again
 */
export function conclude<V>(
  run: PartitionRun<V>,
  first: DeliveredRecord,
  end: CallEnd | NotReady,
): Promise<readonly Ended[]> | readonly Ended[] {
  switch (end.type) {
    case 'succeeded':
      return end.context.isBare ? settleAll(run, end) : commitOrFail(run, first, end);
    case 'duplicate':
      return settleAll(run, { delivered: [], duplicates: end.duplicates });
    case 'failed':
      if (!('delivered' in end)) return countOrGiveUp(run, first, end);
      return end.record === undefined ? tryOneByOne(run, end) : failAt(run, end, end.record);
    case 'paused':
      return pause(run, end, end.record ?? first);
    case 'exhausted':
      return giveUp(run, first, undefined);
    case 'parked':
      return parkBehind(run, first);
    case 'stalled':
      return countStall(run, 'delivered' in end ? end.delivered : [first]);
    case 'notStarted':
      return [{ record: first, outcome: { ...end, type: 'notAttempted' } }];
  }
}

async function commitOrFail<V>(
  run: PartitionRun<V>,
  first: DeliveredRecord,
  call: Succeeded,
): Promise<readonly Ended[]> {
  const instead = await commit(run, call);
  return instead === undefined ? endedWith(call) : conclude(run, first, instead);
}

function settleAll<V>(run: PartitionRun<V>, records: HandedOver): Promise<readonly Ended[]> | readonly Ended[] {
  settle(run, records);
  const ended = endedWith(records);
  const { checkpointMs } = run.consumer.policy;
  return checkpointMs === 'record' ? run.lease.write().then(() => ended) : ended;
}

function endedWith({ delivered, duplicates }: HandedOver): readonly Ended[] {
  const ended: Ended[] = [];
  for (const record of delivered) ended.push({ record, outcome: HANDLED });
  for (const record of duplicates) ended.push({ record, outcome: DUPLICATE });
  return ended;
}

/** Settles the records of a failed call that came before the failed one: their work is done. */
async function settleBefore<V>(
  run: PartitionRun<V>,
  { delivered, duplicates }: HandedOver,
  { offset: limit }: DeliveredRecord,
): Promise<readonly Ended[]> {
  const isBefore = ({ offset }: DeliveredRecord) => offset < limit;
  const before = { delivered: delivered.filter(isBefore), duplicates: duplicates.filter(isBefore) };
  return before.delivered.length + before.duplicates.length === 0 ? [] : settleAll(run, before);
}

/** A call failed at a record: the records before it are settled, and the failure counts for it. */
async function failAt<V>(run: PartitionRun<V>, call: Failed, record: DeliveredRecord): Promise<readonly Ended[]> {
  const before = await settleBefore(run, call, record);
  return [...before, ...(await countOrGiveUp(run, record, call))];
}

/** Counts a failed try. The record is tried again at once, tried again later, or dead-lettered. */
async function countOrGiveUp<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  failed: Parameters<typeof countFailure>[2],
): Promise<readonly Ended[]> {
  const { next, blocked } = countFailure(run, record, failed);
  switch (next) {
    case 'retryInline':
      await shortPause(run);
      return [];
    case 'retryLater':
      return [{ record, outcome: retryOf(blocked) }];
    case 'blocked':
      // A release gives nothing up.
      if (run.partition.parkedKey === undefined)
        run.ports.telemetry.count(mayPark(run, record) ? 'FloodBreakerOpen' : 'ParkedKeysFull');
      return [{ record, outcome: retryOf(blocked) }];
    case 'giveUp':
      return giveUp(run, record, failed.error);
  }
}

/**
 * Dead-letters a record. First the ledger records that it is exhausted, so that the handler never gets it again: after a crash
 * only the dead letter is repeated. The record counts as settled after the dead letter is acknowledged, and not before.
 */
async function giveUp<V>(run: PartitionRun<V>, record: DeliveredRecord, error: unknown): Promise<readonly Ended[]> {
  if (!blockedRecordOf(run.lease.progress, record).exhausted) {
    const instead = parksKey(run, record) ? await markParked(run, [record]) : await mark(run, record);
    if (instead !== undefined) return [{ record, outcome: instead }];
  }
  return [await keep(run, record, error)];
}

async function mark<V>({ lease }: PartitionRun<V>, record: DeliveredRecord): Promise<Outcome | undefined> {
  lease.update(({ running: _, ...progress }) =>
    withBlockedRecord(progress, { ...blockedRecordOf(progress, record), exhausted: true }),
  );
  const marked = await lease.write();
  return marked.type === 'written' ? undefined : { type: 'notAttempted', reason: 'fenced' };
}

/** Records of a parked key wait behind what parked before them, as many as may be marked at once. */
async function parkBehind<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<readonly Ended[]> {
  const records = run.parkedKeys?.waitingFrom(record) ?? [];
  if (!isCall(records)) return [{ record, outcome: { ...parkedFull(run), type: 'notAttempted' } }];
  const instead = await markParked(run, records);
  if (instead !== undefined) return [{ record, outcome: instead }];
  return Promise.all(records.map((one) => keep(run, one, undefined)));
}

/** Sends the letter of a marked record, and settles the record once it is acknowledged. */
async function keep<V>(run: PartitionRun<V>, record: DeliveredRecord, error: unknown): Promise<Ended> {
  const { lease, ports, keys, consumer, parkedKeys } = run;
  const blocked = blockedRecordOf(lease.progress, record);
  const letter = await sendLetter(run, record, blocked, error);
  if (letter.type === 'refused') {
    const backOff = backOffMs(blocked.attempts, consumer.policy.retry, ports.entropy.random());
    const notBefore = ports.clock.now() + Math.ceil(backOff);
    if (parkedKeys !== undefined) parkedKeys.isHeld = true;
    return { record, outcome: { type: 'retry', notBefore } };
  }
  await keys?.deadLettered(record);
  // What parks a key counts for the flood breaker, what waits behind it does not.
  const waits = blocked.parked !== undefined && blocked.parked.ordinal > 1;
  lease.settle(run.settlingOf(record, waits ? 'parked' : 'deadLettered'));
  ports.telemetry.count(blocked.parked === undefined ? 'RecordsDeadLettered' : 'RecordsParked');
  if (consumer.policy.checkpointMs === 'record') await lease.write();
  const type = blocked.parked === undefined ? 'deadLettered' : 'parked';
  return { record, outcome: { type, deadLetterId: letter.id } };
}

/** A call failed without naming a record: its records go one at a time until the failing one is found. */
async function tryOneByOne<V>(run: PartitionRun<V>, { delivered, error }: Failed): Promise<readonly Ended[]> {
  run.lease.update((progress) => ({ ...progress, oneRecordPerCall: true }));
  const { topic, partition } = run.delivered;
  run.context.log.warn('a call of onBatch failed without naming a record; its records are tried one at a time', {
    topic,
    partition,
    from: delivered[0]?.offset,
    records: delivered.length,
    error: readThrown(error).name,
  });
  await shortPause(run);
  return [];
}

/**
 * What the handler depends on is overloaded or cannot be reached: the partition pauses, and no attempt is counted. The record
 * counts as blocked meanwhile, so that an alarm shows a long pause.
 */
async function pause<V>(run: PartitionRun<V>, end: Paused, record: DeliveredRecord): Promise<readonly Ended[]> {
  const before = await settleBefore(run, end, record);
  const { lease, ports, consumer } = run;
  const { until } = end;
  ports.telemetry.count('PartitionsPaused');
  const summary = summarizeError(end.error, 'handler', consumer.policy.redact);
  const blocked = pausedRecord(blockedRecordOf(lease.progress, record), summary, until, ports.clock.now());
  lease.update((progress) => ({ ...withBlockedRecord(progress, blocked), pausedUntil: until }));
  return [...before, { record, outcome: { type: 'notAttempted', reason: 'paused', until } }];
}

/**
 * A handler did not end. For a call with one record it counts as an interruption, not as an attempt. For a call with several,
 * crash isolation finds the record.
 */
async function countStall<V>(run: PartitionRun<V>, records: readonly DeliveredRecord[]): Promise<readonly Ended[]> {
  const { lease, ports, context } = run;
  ports.telemetry.count('HandlersStalled');
  const [first, ...others] = records;
  if (first !== undefined && others.length === 0) {
    ports.telemetry.count('Interruptions');
    const blocked = blockedRecordOf(lease.progress, first);
    const interruptions = blocked.interruptions + 1;
    recordLog(context.log, first, blocked.attempts + 1, context.requestId).error('a record handler never ended', {
      interruptions,
      error: new LockstepError(
        'HANDLER_NEVER_ENDED',
        `the handler of ${first.position} was still running when the invocation had to answer`,
      ),
    });
    const firstFailedAt = blocked.firstFailedAt ?? ports.clock.now();
    lease.update((progress) => withBlockedRecord(progress, { ...blocked, interruptions, firstFailedAt }));
  }
  const last = records.at(-1)?.offset ?? -1;
  lease.update(({ running: _, ...progress }) => ({
    ...progress,
    isolateUntil: Math.max(progress.isolateUntil ?? -1, last),
  }));
  return records.map((record) => ({ record, outcome: { type: 'retry', stalled: true } }));
}

function shortPause<V>({ ports, lease, consumer }: PartitionRun<V>): Promise<void> {
  const ms = Math.ceil(ports.entropy.random() * consumer.policy.retry.inlineDelayMs);
  return ports.clock.sleep(ms, lease.lost.signal);
}

function retryOf({ notBefore }: BlockedRecord): Outcome {
  return { type: 'retry', ...(notBefore !== undefined && { notBefore }) };
}
