import { isPausedOnly } from '../decide/retry-policy.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { admit, type NotReady } from './admit.ts';
import { type CallEnd, callHandler } from './call-handler.ts';
import { conclude, type Ended } from './conclude.ts';
import { onceKnown } from './once-known.ts';
import { haltsPartition, type Outcomes, settles } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { type Call, Schedule } from './schedule.ts';

/** Runs the open records of a partition, call after call, until no call may be made. Fills `outcomes`. */
export async function runPartition<V>(
  run: PartitionRun<V>,
  outcomes: Outcomes,
): Promise<{ readonly stalled: boolean }> {
  const { lease, consumer, keys, open, unitOf } = run;
  const { order, maxConcurrency, maxBatchRecords } = consumer.policy;
  const isBatch = consumer.handler.type === 'batch';
  const maxRecords = isBatch ? maxBatchRecords : 1;
  const schedule = new Schedule(open, { unitOf, maxRecords, goesAlone: (record) => goesAlone(run, record) });
  /** Up to this offset records go one at a time, once a call has failed without naming a record. */
  let oneByOneUntil = open.at(-1)?.offset ?? -1;
  let stalled = false;
  /** No more record starts. A record that waits for another record's key would wait in vain. */
  const stop = () => {
    schedule.stop();
    if (keys !== undefined) for (const record of open) if (!outcomes.has(record.offset)) keys.open(record);
  };
  const next = () => {
    if (lease.isOver) stop();
    return schedule.next();
  };
  const make = (call: Call<DeliveredRecord>) =>
    onceKnown(admit(run, call), (admission) =>
      admission.type === 'ready'
        ? onceKnown(callHandler(run, admission), (end) => concluded(call, admission.delivered[0], end))
        : concluded(call, call[0], admission),
    );
  const concluded = (call: Call<DeliveredRecord>, first: DeliveredRecord, end: CallEnd | NotReady) =>
    onceKnown(conclude(run, first, end), (ended) => noteEnded(call, ended));
  const noteEnded = (call: Call<DeliveredRecord>, ended: readonly Ended[]) => {
    for (const { record, outcome } of ended) {
      outcomes.set(record.offset, outcome);
      if (settles(outcome)) continue;
      if (outcome.type === 'retry' && outcome.stalled) stalled = true;
      if (keys !== undefined) for (const waiting of schedule.waitingFor(record)) keys.open(waiting);
      if (haltsPartition(outcome)) stop();
    }
    schedule.ended(call, outcomes);
    if (!isBatch) return;
    const last = call.at(-1)?.offset ?? -1;
    if (call.length > 1) oneByOneUntil = last;
    else if (ended.some((one) => last >= oneByOneUntil || isFound(one))) endOneByOne(run);
  };
  const limit = () => (isBatch || order === 'partition' || lease.isIsolating ? 1 : maxConcurrency);
  await makeCalls(next, limit, make);
  if (outcomes.size < run.delivered.records.length)
    for (const { offset } of open)
      if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason: 'halted' });
  return { stalled };
}

/**
 * Makes the calls that `next` returns, at most `limit()` at a time, until there is none and all have ended. @throws the first
 * error
 */
async function makeCalls<C>(
  next: () => C | undefined,
  limit: () => number,
  make: (call: C) => Promise<void> | void,
): Promise<void> {
  const errors: unknown[] = [];
  let running = 0;
  let oneEnded = Promise.withResolvers<void>();
  while (errors.length === 0) {
    const most = limit();
    const call = running < most ? next() : undefined;
    if (call === undefined) {
      if (running === 0) return;
      // Not Promise.race over all running calls: each turn of it costs as much as there are calls.
      await oneEnded.promise;
      oneEnded = Promise.withResolvers();
    } else if (most === 1) {
      await make(call);
    } else {
      running++;
      const ended = () => {
        running--;
        oneEnded.resolve();
      };
      // A call that throws at once must not leave the others without anybody who waits for them.
      new Promise<void>((resolve) => resolve(make(call))).then(ended, (error: unknown) => {
        errors.push(error);
        ended();
      });
    }
  }
  throw errors[0];
}

/** What has failed before, what crash isolation tries, what is looked at one by one, parked or released shares its call with no other record. */
function goesAlone<V>({ lease, parkedKeys, partition }: PartitionRun<V>, record: DeliveredRecord): boolean {
  if (partition.parkedKey !== undefined || parkedKeys?.isParked(record)) return true;
  const { blockedRecords, isolateUntil, oneRecordPerCall } = lease.progress;
  const blocked = blockedRecords.get(record.offset);
  const hasFailed = blocked !== undefined && !isPausedOnly(blocked);
  return isolateUntil !== undefined || oneRecordPerCall === true || hasFailed;
}

/** Whether this is the record for which a whole call failed. */
function isFound({ outcome: { type } }: Ended): boolean {
  return type === 'retry' || type === 'deadLettered';
}

/** The record that made a call fail is found, or all records of that call went well. */
function endOneByOne<V>({ lease }: PartitionRun<V>): void {
  if (lease.progress.oneRecordPerCall) lease.update(({ oneRecordPerCall: _, ...progress }) => progress);
}
