import { type Position, positionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';

/**
 * Names a letter: the same for every copy of it, another for what a recreated topic has at the same place.
 *
 * @param suffix - stands for a time that nobody knows. @default the record's time
 */
export function deadLetterId(
  cluster: string,
  group: string,
  record: Position & { readonly timestamp: EpochMs },
  suffix = String(record.timestamp),
): string {
  return `${cluster}/${group}/${positionName(record)}/${suffix}`;
}
