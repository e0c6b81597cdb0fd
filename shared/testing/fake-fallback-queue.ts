import { decodeFallbackEntry, encodeFallbackEntry } from '../adapters/sqs/fallback-entry.ts';
import { LockstepError } from '../errors.ts';
import type { FallbackEntry, FallbackQueue } from '../ports/fallback-queue.ts';
import { FAKE_SECRET } from './fake-stack-secret.ts';

/** The fault of an entry. `refused`: it is not kept. `unanswered`: it is kept, and the answer is lost. Both reject. */
export type FallbackFault = 'refused' | 'unanswered';

/** Options of the fake that the port does not have. */
export interface FakeFallbackQueueOptions {
  /** The largest entry as text, in bytes. Each entry is encoded for it. @default Infinity */
  readonly maxBytes?: number;
  /** Called with each entry that fits. @default no faults */
  readonly fault?: (entry: FallbackEntry) => FallbackFault | undefined;
  /** Called with each entry that is kept, before its sender gets the answer. */
  readonly onEntry?: (entry: FallbackEntry) => void;
}

/** A fallback queue in memory. */
export interface FakeFallbackQueue extends FallbackQueue {
  /** Entries that were sent and not taken, in order. */
  readonly entries: readonly FallbackEntry[];
  /** Takes the first `count` entries, as the relay does: encoded and decoded again. */
  take(count?: number): FallbackEntry[];
}

/**
 * A fallback queue in memory with the port's semantics, as the contract suite shows. An entry is kept during the call, so that
 * simulations decide the order.
 */
export function fakeFallbackQueue(options: FakeFallbackQueueOptions = {}): FakeFallbackQueue {
  const { maxBytes = Number.POSITIVE_INFINITY, fault, onEntry } = options;
  const entries: FallbackEntry[] = [];

  return {
    entries,
    // Async, so that a thrown error rejects. It runs to its end within the call.
    async send(entry) {
      if (maxBytes < Number.POSITIVE_INFINITY && encodeFallbackEntry(entry, FAKE_SECRET).length > maxBytes)
        throw refusal('too large');
      const found = fault?.(entry);
      if (found === 'refused') throw refusal('refused');
      entries.push(entry);
      onEntry?.(entry);
      if (found === 'unanswered') throw refusal('no answer');
    },
    take: (count = entries.length) =>
      entries
        .splice(0, count)
        .map((entry) => decodeFallbackEntry(encodeFallbackEntry(entry, FAKE_SECRET), FAKE_SECRET)),
  };
}

function refusal(why: string): LockstepError {
  return new LockstepError('FALLBACK_REFUSED', `the fallback queue did not accept the entry: ${why}`);
}
