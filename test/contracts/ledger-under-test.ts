import type { Progress } from '../../shared/decide/progress.ts';
import { FRESH_PROGRESS } from '../../shared/decide/progress.ts';
import type { IdempotencyKeyStore, KeyItem } from '../../shared/ports/idempotency-key-store.ts';
import type { ClaimRequest, LedgerStore, WriteRequest } from '../../shared/ports/ledger-store.ts';
import type { ParkedKeys } from '../../shared/ports/parked-keys.ts';
import type { LedgerPartition } from '../../shared/record/item-identifier.ts';
import type { TransactAction } from '../../shared/transact-action.ts';

/** Idempotency keys with what shows their items. */
export interface KeysUnderTest {
  readonly keys: IdempotencyKeyStore;
  /** The item of a key, expired or not. */
  keyItem(key: string): Promise<KeyItem | undefined>;
}

/** A ledger with what shows its effects, and the keys that its writes complete. */
export interface LedgerUnderTest extends KeysUnderTest {
  readonly ledger: LedgerStore;
  readonly parkedKeys: ParkedKeys;
  /** An effect that leaves a trace under `id`; with `ifAbsent` only where there is none. */
  effect(id: string, condition?: 'ifAbsent'): TransactAction;
  /** Whether that effect was committed. */
  hasEffect(id: string): Promise<boolean>;
}

/** 2026-11-21T09:00:00Z: claims of these tests begin here. */
export const NOW = 1_795_251_600_000;
/** Until when they are leased. */
export const LEASED = 1_795_251_615_000;

let made = 0;

/** A partition that no other test has. */
export function newPartition(): LedgerPartition {
  made++;
  return { cluster: 'c0ffee00-1111-2222-3333-444455556666-3', group: 'billing', topic: `orders-${made}`, partition: 3 };
}

/** An id that no other test has. */
export function newId(name: string): string {
  made++;
  return `${name}-${made}`;
}

/** A claim of 10…19 by `owner`, now. */
export function claimBy(partition: LedgerPartition, owner: string, change: Partial<ClaimRequest> = {}): ClaimRequest {
  return { partition, owner, now: NOW, leaseUntil: LEASED, offsets: [{ from: 10, to: 19 }], ...change };
}

/** A write of epoch 1 after the claim; 10…14 settled, 15…19 to go. */
export function writeBy(partition: LedgerPartition, owner: string, change: Partial<WriteRequest> = {}): WriteRequest {
  return {
    partition,
    owner,
    epoch: 1,
    rev: 1,
    progress: settledTo(14),
    leaseUntil: LEASED + 5_000,
    claimed: [{ from: 15, to: 19 }],
    release: false,
    ...change,
  };
}

/** Progress with 10…`to` settled and nothing else. */
export function settledTo(to: number): Progress {
  return { ...FRESH_PROGRESS, settled: [{ from: 10, to }] };
}
