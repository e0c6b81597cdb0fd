import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type { KeyCompletion } from './ledger-store.ts';

export type { KeyHolder, KeyItem } from '../decide/idempotency.ts';

/** `claim` puts `item` where there is no item. With `replaces` it replaces exactly that item. */
export interface KeyClaimRequest {
  /** `key#<namespace>#<sha-256>`. */
  readonly key: string;
  readonly item: KeyItem;
  readonly replaces?: KeyItem;
}

/** It is not known whether the request was carried out. The same request may be repeated. */
export interface UnknownFate {
  readonly type: 'unknown';
  /** A StoreError. Its `transient` says whether the fault may pass. */
  readonly error: Error;
}

/**
 * `held`: another item is there, as it stands, expired or not. If it is our own (same holder and position), our claim was
 * granted and the answer was lost. `gone`: the request was refused, and the item that was in the way, or was to be replaced, is
 * not there any more.
 */
export type KeyClaimAnswer =
  | { readonly type: 'granted' }
  | { readonly type: 'held'; readonly item: KeyItem }
  | { readonly type: 'gone' }
  | UnknownFate;

/** `takenOver`: another holder has the key, or nobody has it. Completing a key that we completed before answers `completed`. */
export type KeyCompletionAnswer = { readonly type: 'completed' } | { readonly type: 'takenOver' } | UnknownFate;

/** `settled`: `holder` does not hold the key for that record, whether it did before or not. */
export type KeyReturnAnswer = { readonly type: 'settled' } | UnknownFate;

/** A key, and the claim of it that is given back. */
export interface KeyReturn {
  readonly key: string;
  readonly holder: KeyHolder;
  /**
   * `orders-3@1042`: a request that takes effect late must not free the key when the same holder has claimed it for another
   * record.
   */
  readonly position: string;
}

/**
 * Keeps idempotency keys. Each request is about one key, and succeeds or fails on its own. The requests of one call name
 * different keys, and are answered in their order. If the call rejects, the fate of all of them is unknown. DynamoDB deletes
 * expired items late, so readers compare `expiresAt` themselves.
 */
export interface IdempotencyKeyStore {
  claim(requests: readonly KeyClaimRequest[]): Promise<readonly KeyClaimAnswer[]>;
  /** COMPLETED, if the key is still held by `item.claimedBy`. */
  complete(completions: readonly KeyCompletion[]): Promise<readonly KeyCompletionAnswer[]>;
  /** Deletes keys that are IN_PROGRESS and still held by `holder` for the record at `position`. Other keys are left alone. */
  giveBack(returns: readonly KeyReturn[]): Promise<readonly KeyReturnAnswer[]>;
}
