import type { RecordIdentity } from '../decide/progress.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';

/** Says which record gave a recreated topic away, whoever claims first: an alarm rests on it. */
export function reportRecreation(
  { count, log }: Telemetry,
  { topic, partition }: Pick<LedgerPartition, 'topic' | 'partition'>,
  recreatedBy: RecordIdentity | undefined,
): void {
  if (recreatedBy === undefined) return;
  count('TopicsRecreated');
  log.warn('another record stands at a known offset: the topic was recreated, progress starts afresh', {
    topic,
    partition,
    offset: recreatedBy.offset,
  });
}
