import type { Evidence } from '../evidence.ts';
import { placeKey } from './by-place.ts';

/** When the ledger first took a write that counts a record as settled, by {@link placeKey}. */
export function recordedAt({ ledger, partitions }: Pick<Evidence, 'ledger' | 'partitions'>): Map<string, number> {
  const recorded = new Map<string, number>();
  // Below it everything is recorded: ranges begin at or near 0 for the whole run.
  const below = new Array<number>(partitions).fill(0);
  for (const event of ledger) {
    if (event.type !== 'write' || event.fate !== 'applied') continue;
    const { partition, at } = event;
    for (const { from, to } of event.settled) {
      for (let offset = Math.max(from, below[partition] ?? 0); offset <= to; offset++) {
        const key = placeKey({ partition, offset });
        if (!recorded.has(key)) recorded.set(key, at);
      }
    }
    while (recorded.has(placeKey({ partition, offset: below[partition] ?? 0 })))
      below[partition] = (below[partition] ?? 0) + 1;
  }
  return recorded;
}
