import type { OperationsClaim } from '../decide/relay.ts';
import type { Log, Telemetry } from '../ports/telemetry.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { Offset } from '../record/units.ts';

/**
 * Says what a claim found: a record in whose handler a process died, and the record that gave a recreated topic away. Only the
 * first claim after it sees either, whoever makes it, and an alarm rests on the second.
 *
 * @param logOf - a log whose lines name the record at an offset, where it was delivered
 */
export function reportInheritance(
  { count, log }: Telemetry,
  { topic, partition }: Pick<LedgerPartition, 'topic' | 'partition'>,
  { interrupted, recreatedBy, progress }: OperationsClaim,
  logOf: (offset: Offset, attempt: number) => Log | undefined = () => undefined,
): void {
  if (interrupted !== undefined) {
    count('Interruptions');
    const { offset } = interrupted;
    const { attempts = 0, interruptions } = progress.blockedRecords.get(offset) ?? {};
    const itsOwn = logOf(offset, attempts + 1);
    (itsOwn ?? log).warn('the process died in the handler of a record', {
      ...(itsOwn === undefined && { topic, partition, offset }),
      interruptions,
    });
  }
  if (recreatedBy !== undefined) {
    count('TopicsRecreated');
    log.warn('another record stands at a known offset: the topic was recreated, progress starts afresh', {
      topic,
      partition,
      offset: recreatedBy.offset,
    });
  }
}
