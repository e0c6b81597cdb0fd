import type { DeliveredRecord } from '../record/delivered-record.ts';
import { BatchRunner } from './batch-runner.ts';
import { haltsPartition, unitOf } from './ordering.ts';
import { type Outcomes, settles } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { RecordRunner } from './record-runner.ts';
import { Schedule } from './schedule.ts';

/** Runs the open records of a partition, each when its ordering unit lets it, until none may start any more. */
export async function runRecords<V>(run: PartitionRun<V>, outcomes: Outcomes): Promise<{ readonly stalled: boolean }> {
  const { session, consumer, keys, open } = run;
  if (consumer.handler.type === 'batch') return new BatchRunner(run, outcomes).run();
  const runner = new RecordRunner(run);
  const schedule = new Schedule(open, unitOf(consumer.policy.order));
  const running = new Set<Promise<void>>();
  const take = async (record: DeliveredRecord) => {
    const outcome = await runner.run(record);
    outcomes.set(record.offset, outcome);
    if (settles(outcome)) schedule.settled(record);
    else if (keys !== undefined) for (const waiting of schedule.waitingFor(record)) keys.open(waiting);
    if (haltsPartition(outcome)) stop();
  };
  /** Nothing starts any more; who waits for another record's idempotency key waits in vain. */
  const stop = () => {
    schedule.stop();
    if (keys !== undefined) for (const record of open) if (!outcomes.has(record.offset)) keys.open(record);
  };
  for (;;) {
    if (session.isOver) stop();
    // Careful mode: one record at a time, so that a death is put down to the right one.
    const limit =
      consumer.policy.order === 'partition' || (!session.isPlain && session.progress.carefulUntil !== undefined)
        ? 1
        : consumer.policy.maxConcurrency;
    const record = running.size < limit ? schedule.next() : undefined;
    if (record === undefined) {
      if (running.size === 0) break;
      await Promise.race(running);
    } else if (limit === 1) {
      await take(record);
    } else {
      const tracked: Promise<void> = take(record).finally(() => running.delete(tracked));
      running.add(tracked);
    }
  }
  if (outcomes.size < run.delivered.records.length)
    for (const { offset } of open)
      if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason: 'halted' });
  return { stalled: runner.stalled };
}
