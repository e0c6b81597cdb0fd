import type { LedgerStore } from '../ports/ledger-store.ts';

/** Requests that were sent to a ledger, with repetitions. */
export interface LedgerCounts {
  claims: number;
  writes: number;
  reads: number;
}

/** A ledger that counts its requests, whatever the answer. The counts may be reset. */
export function countingLedger(store: LedgerStore): LedgerStore & { readonly counts: LedgerCounts } {
  const counts: LedgerCounts = { claims: 0, writes: 0, reads: 0 };
  return {
    counts,
    claim(request) {
      counts.claims++;
      return store.claim(request);
    },
    write(request) {
      counts.writes++;
      return store.write(request);
    },
    read(partition) {
      counts.reads++;
      return store.read(partition);
    },
  };
}
