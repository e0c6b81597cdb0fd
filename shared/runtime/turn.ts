import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';

/**
 * Enters the sandbox for crash isolation: no other handler of the process runs, and the record is written as `running`. From
 * now on a death of the process counts for this record, whether its handler has begun or not.
 *
 * @returns why the record may not start; then the sandbox was not entered
 */
export async function enterIsolated<V>(
  run: PartitionRun<V>,
  { offset, timestamp, valueHash }: DeliveredRecord,
): Promise<NotAttemptedReason | undefined> {
  const { lease, ports } = run;
  if (!(await ports.sandbox.enter(true))) return 'deadline';
  lease.update((progress) => ({ ...progress, running: { offset, timestamp, valueHash } }));
  const written = await lease.write();
  if (written.type === 'written') return undefined;
  await leaveIsolated(run);
  return 'fenced';
}

/**
 * Leaves the sandbox after crash isolation. The end is written before another handler starts: otherwise a death in the other
 * one would count for this record.
 */
export async function leaveIsolated<V>({ lease, ports }: PartitionRun<V>): Promise<void> {
  lease.update(({ running: _, ...progress }) => progress);
  await lease.write();
  ports.sandbox.leave();
}
