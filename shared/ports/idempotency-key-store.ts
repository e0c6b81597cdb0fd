import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type { EpochMs } from '../record/units.ts';

export type { KeyHolder, KeyItem } from '../decide/idempotency.ts';

/** `claim` puts an IN_PROGRESS item where there is none, an expired one, or exactly the one in `replaces`. */
export interface KeyClaimRequest {
  /** `key#<namespace>#<sha-256>`. */
  readonly key: string;
  readonly item: KeyItem;
  readonly replaces?: KeyItem;
  readonly now: EpochMs;
}

/** `held`: somebody else's item, as it stands. Our own item (same holder and position) is a grant whose answer was lost. */
export type KeyClaimAnswer = { readonly type: 'granted' } | { readonly type: 'held'; readonly item: KeyItem };

/**
 * Keeps idempotency keys. Each call is one request, and may be repeated as it is: a rejection means that its fate is unknown.
 * DynamoDB deletes expired items late, so readers compare `expiresAt` themselves.
 */
export interface IdempotencyKeyStore {
  /** Looks up any number of keys, by the hundred side by side, what was not processed again. Absent keys are absent from the answer. */
  lookUp(keys: readonly string[]): Promise<ReadonlyMap<string, KeyItem>>;
  claim(request: KeyClaimRequest): Promise<KeyClaimAnswer>;
  /** COMPLETED, if the key is still held by `item.claimedBy`; `false` if it is not. Completing what we completed is `true`. */
  complete(key: string, item: KeyItem): Promise<boolean>;
  /** Deletes the key if it is IN_PROGRESS and still held by `holder`; otherwise nothing happens. */
  giveBack(key: string, holder: KeyHolder): Promise<void>;
}
