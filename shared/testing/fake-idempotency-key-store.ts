import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type { IdempotencyKeyStore, KeyClaimAnswer } from '../ports/idempotency-key-store.ts';
import type { EpochMs } from '../record/units.ts';

/** Idempotency keys in memory. */
export interface FakeIdempotencyKeyStore extends IdempotencyKeyStore {
  /** The items now, expired ones too, as DynamoDB keeps them for a while. */
  readonly items: ReadonlyMap<string, KeyItem>;
  /** Deletes what has expired, as DynamoDB does some time later. */
  sweep(now: EpochMs): void;
}

/**
 * Idempotency keys in memory with the port's exact semantics, as the contract suite shows. A request takes effect at the moment
 * of the call; items are immutable values and are handed out as they are.
 */
export function fakeIdempotencyKeyStore(): FakeIdempotencyKeyStore {
  const items = new Map<string, KeyItem>();
  return {
    items,
    sweep(now) {
      for (const [key, item] of items) if (isExpired(item, now)) items.delete(key);
    },
    async lookUp(keys) {
      const found = new Map<string, KeyItem>();
      for (const key of keys) {
        const item = items.get(key);
        if (item !== undefined) found.set(key, item);
      }
      return found;
    },
    async claim({ key, item, replaces, now }): Promise<KeyClaimAnswer> {
      const present = items.get(key);
      const free = present === undefined || isExpired(present, now);
      if (!free && (replaces === undefined || !isSame(present, replaces))) return { type: 'held', item: present };
      items.set(key, item);
      return { type: 'granted' };
    },
    async complete(key, item) {
      const present = items.get(key);
      if (present === undefined || !isHeldBy(present, item.claimedBy)) return false;
      items.set(key, { ...item, status: 'COMPLETED' });
      return true;
    },
    async giveBack(key, holder) {
      const present = items.get(key);
      if (present?.status === 'IN_PROGRESS' && isHeldBy(present, holder)) items.delete(key);
    },
  };
}

function isExpired({ expiresAt }: KeyItem, now: EpochMs): boolean {
  return expiresAt * 1_000 <= now;
}

function isHeldBy({ claimedBy }: KeyItem, { ledgerKey, epoch }: KeyHolder): boolean {
  return claimedBy.ledgerKey === ledgerKey && claimedBy.epoch === epoch;
}

function isSame(a: KeyItem, b: KeyItem): boolean {
  return (
    a.status === b.status &&
    a.position === b.position &&
    isHeldBy(a, b.claimedBy) &&
    a.valueHash === b.valueHash &&
    a.expiresAt === b.expiresAt
  );
}
