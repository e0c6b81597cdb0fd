import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Outcome, Outcomes } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { RecordRunner } from './record-runner.ts';
import { Schedule } from './schedule.ts';

/** Runs the open records of a partition, each when its ordering unit lets it, until none may start any more. */
export async function runRecords<V>(run: PartitionRun<V>, outcomes: Outcomes): Promise<{ readonly stalled: boolean }> {
  const { session, consumer, keys, open } = run;
  const runner = new RecordRunner(run);
  const schedule = new Schedule(open, unitOf(consumer.policy.order));
  const running = new Set<Promise<void>>();
  const take = async (record: DeliveredRecord) => {
    const outcome = await runner.run(record);
    outcomes.set(record.offset, outcome);
    if (settles(outcome)) schedule.settled(record);
    else keys?.open(record);
    if (haltsPartition(outcome)) schedule.stop();
  };
  for (;;) {
    // Careful mode: one record at a time, so that a death is put down to the right one.
    const limit =
      consumer.policy.order === 'partition' || session.progress.carefulUntil !== undefined
        ? 1
        : consumer.policy.maxConcurrency;
    const record = running.size < limit && !session.isOver ? schedule.next() : undefined;
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
  for (const { offset } of open)
    if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason: 'halted' });
  return { stalled: runner.stalled };
}

/** Equal for records whose order matters. A record without a key orders nothing but itself. */
function unitOf(order: 'partition' | 'key'): (record: DeliveredRecord) => unknown {
  return order === 'partition' ? () => '' : (record) => record.encodedKey ?? record;
}

function settles({ type }: Outcome): boolean {
  return type === 'handled' || type === 'duplicate' || type === 'deadLettered';
}

/** What concerns more than the record's own unit. */
function haltsPartition(outcome: Outcome): boolean {
  if (outcome.type !== 'notAttempted') return false;
  return ['deadline', 'paused', 'fenced', 'unavailable'].includes(outcome.reason);
}
