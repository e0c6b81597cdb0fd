import type { LedgerPartition } from '../record/item-identifier.ts';
import type { OffsetRanges } from '../record/offset-ranges.ts';
import type { DeadLetter } from './dead-letter-publisher.ts';

/** What waits for the relay: a dead letter that the topic refused, or offsets that Lambda has lost. */
export type FallbackEntry =
  | { readonly type: 'letter'; readonly letter: DeadLetter }
  | { readonly type: 'abandoned'; readonly partition: LedgerPartition; readonly offsets: OffsetRanges };

/** Keeps what cannot go to the dead-letter topic now. */
export interface FallbackQueue {
  /** Resolves when the queue has accepted it. @throws when it has not, or the entry is too large for it */
  send(entry: FallbackEntry): Promise<void>;
}
