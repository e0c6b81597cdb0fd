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
  if (consumer.handler.type === 'batch') {
    return new BatchRunner(run, outcomes).run();
  }
  const runner = new RecordRunner(run);
  const schedule = new Schedule(open, unitOf(consumer.policy.order));
  let running = 0;
  let oneEnded = Promise.withResolvers<void>();
  let broken: { readonly error: unknown } | undefined;
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
  const ended = () => {
    running--;
    oneEnded.resolve();
  };
  for (;;) {
    if (broken !== undefined) throw broken.error;
    if (session.isOver) stop();
    const limit = consumer.policy.order === 'partition' || session.isIsolating ? 1 : consumer.policy.maxConcurrency;
    const record = running < limit ? schedule.next() : undefined;
    if (record === undefined) {
      if (running === 0) break;
      // Not a race of all that run: each turn of it costs as much as there are.
      await oneEnded.promise;
      oneEnded = Promise.withResolvers();
    } else if (limit === 1) {
      await take(record);
    } else {
      running++;
      take(record).then(ended, (error: unknown) => {
        broken ??= { error };
        ended();
      });
    }
  }
  if (outcomes.size < run.delivered.records.length)
    for (const { offset } of open)
      if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason: 'halted' });
  return { stalled: runner.stalled };
}
