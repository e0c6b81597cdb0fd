import type { Evidence, Finding } from '../evidence.ts';
import { nameOf } from './by-place.ts';

/** Whether the group of a run that came to a standstill has yet to get there: what is not handled then is not lost. */
export function isYetToCome(
  { standstill }: Pick<Evidence, 'standstill'>,
  { partition, offset }: { readonly partition: number; readonly offset: number },
): boolean {
  return standstill !== undefined && offset >= (standstill.committed.get(partition) ?? 0);
}

/** 8. No standstill: where each partition stands, and who should have brought it further. */
export function judgeStandstill(evidence: Evidence): Finding[] {
  const { standstill, topic } = evidence;
  if (standstill === undefined) return [];
  const { committed, members, pollers, seconds, groupState } = standstill;
  const findings: Finding[] = [];
  for (const [partition, records] of Map.groupBy(evidence.produced, (record) => record.partition)) {
    const waiting = records.filter((record) => isYetToCome(evidence, record));
    if (waiting.length === 0) continue;
    const holders = members.filter(({ partitions }) => partitions.includes(partition)).map(({ id }) => id);
    const end = Math.max(...records.map(({ offset }) => offset)) + 1;
    const name = nameOf(evidence, { partition, offset: committed.get(partition) ?? 0 });
    const heldBy = holders.length === 0 ? 'nobody' : holders.join(' and ');
    findings.push({ promise: 'stuck', text: `${name} of @${end} for ${seconds} s, held by ${heldBy}` });
  }
  const count = (value: number, what: string) => `${value} ${what}${value === 1 ? '' : 's'}`;
  const group = `the group of ${topic} is ${groupState}`;
  findings.push({
    promise: 'stuck',
    text: `${group}, with ${count(members.length, 'member')} and ${count(pollers, 'poller')}`,
  });
  return findings;
}
