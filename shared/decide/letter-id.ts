import { type Position, positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/**
 * The id of a dead letter: the same for every copy of it, another one for a record at the same offset of a recreated topic.
 *
 * @param suffix - used where the record's time is not known. @default the record's time
 */
export function deadLetterId(
  cluster: string,
  group: string,
  record: Position & { readonly timestamp: EpochMs },
  suffix = String(record.timestamp),
): string {
  return `${cluster}/${group}/${positionName(record)}/${suffix}`;
}
