import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type { KeyCompletion } from './ledger-store.ts';

export type { KeyHolder, KeyItem } from '../decide/idempotency.ts';

/** `claim` puts `item` where there is none, or, with `replaces`, in the place of exactly that one. */
export interface KeyClaimRequest {
  /** `key#<namespace>#<sha-256>`. */
  readonly key: string;
  readonly item: KeyItem;
  readonly replaces?: KeyItem;
}

/** Whether the request was carried out is unknown; it may be repeated as it is. */
export interface UnknownFate {
  readonly type: 'unknown';
  /** A StoreError: whether it passes says `transient`. */
  readonly error: Error;
}

/**
 * `held`: another item is there, as it stands, expired or not. Our own (same holder and position) is a grant whose answer was
 * lost. `gone`: refused, and the item that stood in the way, or was to be replaced, is not there any more.
 */
export type KeyClaimAnswer =
  | { readonly type: 'granted' }
  | { readonly type: 'held'; readonly item: KeyItem }
  | { readonly type: 'gone' }
  | UnknownFate;

/** `takenOver`: somebody else holds the key, or nobody does. Completing what we completed is `completed`. */
export type KeyCompletionAnswer = { readonly type: 'completed' } | { readonly type: 'takenOver' } | UnknownFate;

/** `settled`: `holder` does not hold the key for that record, whether it did before or not. */
export type KeyReturnAnswer = { readonly type: 'settled' } | UnknownFate;

/** A key, and the claim that is taken back. */
export interface KeyReturn {
  readonly key: string;
  readonly holder: KeyHolder;
  /** `orders-3@1042`: a return that lands late must not free the key under another record of the same holder. */
  readonly position: string;
}

/**
 * Keeps idempotency keys. Each request concerns one key and is carried out or not by itself; those of one call name different
 * keys, and are answered in their order. A rejection says of all of them that their fate is unknown. DynamoDB deletes expired
 * items late, so readers compare `expiresAt` themselves.
 */
export interface IdempotencyKeyStore {
  claim(requests: readonly KeyClaimRequest[]): Promise<readonly KeyClaimAnswer[]>;
  /** COMPLETED, if the key is still held by `item.claimedBy`. */
  complete(completions: readonly KeyCompletion[]): Promise<readonly KeyCompletionAnswer[]>;
  /** Deletes keys that are IN_PROGRESS and still held by `holder` for the record at `position`; with others nothing happens. */
  giveBack(returns: readonly KeyReturn[]): Promise<readonly KeyReturnAnswer[]>;
}
