import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';

/**
 * Enters the sandbox in crash isolation: beside no other handler of the process, with the record written ahead as `running`. From
 * here on a death of the process counts for this record, begun or not.
 *
 * @returns why it may not start; then it is not in the sandbox
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
 * Leaves the sandbox after crash isolation. No other handler starts before it is written that this one has ended: a death in it
 * would count for this record.
 */
export async function leaveIsolated<V>({ lease, ports }: PartitionRun<V>): Promise<void> {
  lease.update(({ running: _, ...progress }) => progress);
  await lease.write();
  ports.sandbox.leave();
}
