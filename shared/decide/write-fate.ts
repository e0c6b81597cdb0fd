import type { PartitionItem } from './progress.ts';

/** The epoch and the revision with which a write was sent. */
export interface Writer {
  readonly epoch: number;
  /** The revision that the write followed. */
  readonly rev: number;
}

/**
 * What a refused write means. Under one epoch only its owner writes, one revision after the other. If the item has our epoch
 * and the revision that we wanted to make, an earlier try of this very write succeeded and only its answer was lost.
 */
export function writeFate(item: PartitionItem | undefined, { epoch, rev }: Writer): 'applied' | 'fenced' {
  return item !== undefined && item.epoch === epoch && item.rev === rev + 1 ? 'applied' : 'fenced';
}
