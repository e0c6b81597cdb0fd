import { describe } from 'vitest';
import { type ContractResults, clausesOf } from './contract-results.ts';
import { ledgerClaimClauses } from './ledger-claim.clauses.ts';
import { ledgerEffectClauses } from './ledger-effect.clauses.ts';
import { ledgerParkedClauses } from './ledger-parked.clauses.ts';
import { ledgerProgressClauses } from './ledger-progress.clauses.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';
import { ledgerWriteClauses } from './ledger-write.clauses.ts';

/** What every ledger store keeps to. `open` is called once a clause. */
export function ledgerStoreContract(
  adapter: string,
  open: () => Promise<LedgerUnderTest>,
  results?: ContractResults,
): void {
  describe(`${adapter} as a ledger store`, () => {
    const clause = clausesOf('ledger', adapter, results);
    ledgerClaimClauses(clause, open);
    ledgerWriteClauses(clause, open);
    ledgerProgressClauses(clause, open);
    ledgerEffectClauses(clause, open);
    ledgerParkedClauses(clause, open);
  });
}
