import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type {
  IdempotencyKeyStore,
  KeyClaimAnswer,
  KeyClaimRequest,
  KeyCompletionAnswer,
  KeyReturnAnswer,
} from '../ports/idempotency-key-store.ts';
import type { EpochMs } from '../record/units.ts';

const GRANTED: KeyClaimAnswer = { type: 'granted' };
const COMPLETED: KeyCompletionAnswer = { type: 'completed' };
const SETTLED: KeyReturnAnswer = { type: 'settled' };

/** Idempotency keys in memory. */
export interface FakeIdempotencyKeyStore extends IdempotencyKeyStore {
  /** The items now. Expired ones are still there, as in DynamoDB for a while. */
  readonly items: ReadonlyMap<string, KeyItem>;
  /** Deletes expired items, as DynamoDB does some time later. */
  sweep(now: EpochMs): void;
}

/**
 * Idempotency keys in memory with the port's exact semantics, as the contract suite shows. Requests take effect during the
 * call. Items are immutable and are returned without a copy.
 */
export function fakeIdempotencyKeyStore(): FakeIdempotencyKeyStore {
  const items = new Map<string, KeyItem>();
  const claim = ({ key, item, replaces }: KeyClaimRequest): KeyClaimAnswer => {
    const present = items.get(key);
    if (present === undefined && replaces !== undefined) return { type: 'gone' };
    if (present !== undefined && !(replaces !== undefined && isSame(present, replaces)))
      return { type: 'held', item: present };
    items.set(key, item);
    return GRANTED;
  };
  return {
    items,
    sweep(now) {
      for (const [key, { expiresAt }] of items) if (expiresAt * 1_000 <= now) items.delete(key);
    },
    claim: async (requests) => requests.map(claim),
    complete: async (completions) =>
      completions.map(({ key, item }) => {
        const present = items.get(key);
        if (present === undefined || !isHeldBy(present, item.claimedBy)) return { type: 'takenOver' };
        items.set(key, { ...item, status: 'COMPLETED' });
        return COMPLETED;
      }),
    giveBack: async (returns) =>
      returns.map(({ key, holder, position }) => {
        const present = items.get(key);
        if (present?.status === 'IN_PROGRESS' && isHeldBy(present, holder) && present.position === position)
          items.delete(key);
        return SETTLED;
      }),
  };
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
