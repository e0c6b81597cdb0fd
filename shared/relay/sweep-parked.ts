import { settledOrdinal } from '../decide/parking.ts';
import type { ParkedItem, PartitionItem } from '../decide/progress.ts';
import { isReleaseDue } from '../decide/release.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import { askRelease, parkedLetters } from '../release/ask-release.ts';
import { dropParked } from '../release/drop-parked.ts';
import type { Invocation } from '../runtime/invocation.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';

/** What is told of parked keys. Also that there are none, or their alarms would never clear. */
export const PARKED_METRICS = ['ParkedKeys', 'ParkedRecords', 'ParkedAgeMs'] as const;

/** A parked key that is due. */
export interface DueKey {
  readonly place: LedgerPartition;
  readonly item: ParkedItem;
}

/** Tells how much is parked, and since when. @returns the keys to be tried again, or freed: nothing waits in them any more */
export async function lookAtParked(
  partition: LedgerPartition,
  { parked = 0 }: PartitionItem,
  { parkedKeys, clock, telemetry }: RelayPorts,
  { release }: RelayPolicy,
): Promise<readonly DueKey[]> {
  if (parked === 0) return [];
  const named = await parkedKeys.list(partition);
  const now = clock.now();
  telemetry.count('ParkedKeys', named.size);
  const due: DueKey[] = [];
  for (const [parkedKey, item] of named) {
    const waiting = item.tail - settledOrdinal(item.progress);
    telemetry.count('ParkedRecords', waiting);
    telemetry.count('ParkedAgeMs', Math.max(0, now - item.since));
    const isFinished = waiting <= 0 && (item.owner === undefined || item.leaseUntil < now);
    const isDue = release !== undefined && isReleaseDue(item, now, release);
    if (isFinished || isDue) due.push({ place: { ...partition, parkedKey }, item });
  }
  return due;
}

/** Frees keys in which nothing waits any more, and tries the others again. One key's trouble is not another's. */
export async function releaseDue(due: readonly DueKey[], ports: RelayPorts, invocation: Invocation): Promise<void> {
  const { clock, telemetry, release: invoke, deadLetterTopic, group, log } = ports;
  const waiting = due.filter(({ item }) => settledOrdinal(item.progress) < item.tail);
  for (const { place, item } of due)
    if (!waiting.some((one) => one.item === item))
      await dropParked({ partition: place, sequence: item.sequence }, 0, ports, invocation);
  if (invoke === undefined || waiting.length === 0) return;
  const { stallAt, abortAt } = invocation.plan;
  const source = { log, deadLetterTopic, group, secret: await ports.secret(), giveUpAt: stallAt };
  const letters = await parkedLetters(source, new Set(waiting.map(({ item }) => item.sequence)));
  for (const { place, item } of waiting) {
    if (clock.now() >= abortAt) return;
    const { topic, partition } = place;
    try {
      const ended = await askRelease(place, item.sequence, letters, { ...ports, source, invoke }, abortAt);
      telemetry.log.info('a parked key was tried again', { topic, partition, behind: item.behind, ...ended });
    } catch (error) {
      telemetry.log.warn('a parked key could not be tried again', { topic, partition, behind: item.behind, error });
    }
  }
}
