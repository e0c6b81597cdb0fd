import type { PartitionItem } from './progress.ts';

/** Under which epoch, and over which revision, a write was sent. */
export interface Writer {
  readonly epoch: number;
  /** The revision that the write followed. */
  readonly rev: number;
}

/**
 * What a refused write means. Under one epoch only its owner writes, one revision after the other: if the item stands at our
 * epoch and at the revision that we wanted to make, an earlier try of this very write has made it and only the answer was lost.
 */
export function writeFate(item: PartitionItem | undefined, { epoch, rev }: Writer): 'applied' | 'fenced' {
  return item !== undefined && item.epoch === epoch && item.rev === rev + 1 ? 'applied' : 'fenced';
}
