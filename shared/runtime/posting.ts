import type { Settling } from '../decide/settle.ts';
import { actionBytes, MAX_EFFECT_BYTES, MAX_TRANSACTION_ACTIONS } from '../decide/transact-size.ts';
import type { KeyCompletion, TransactAction } from '../ports/ledger-store.ts';

/** Records to be settled in one transaction with their effects. */
export interface Posting {
  readonly settlings: readonly Settling[];
  /** Of the keys of those records. */
  readonly completions: readonly KeyCompletion[];
  readonly effects: readonly TransactAction[];
}

/** A write without effects. */
export const NO_POSTING: Posting = { settlings: [], completions: [], effects: [] };

/** How much of a transaction a posting takes, besides the partition's own item. */
export interface PostingSize {
  readonly actions: number;
  readonly bytes: number;
}

/** How large a posting is. */
export function postingSize({ completions, effects }: Posting): PostingSize {
  return {
    actions: completions.length + effects.length,
    bytes: effects.reduce((bytes, effect) => bytes + actionBytes(effect), 0),
  };
}

/** Whether one transaction takes that much. */
export function fitsTransaction({ actions, bytes }: PostingSize): boolean {
  return actions < MAX_TRANSACTION_ACTIONS && bytes <= MAX_EFFECT_BYTES;
}

/** How many of the first postings share one transaction; at least one where there is one: a posting is never split. */
export function sharing(sizes: readonly PostingSize[]): number {
  let actions = 0;
  let bytes = 0;
  for (const [index, size] of sizes.entries()) {
    actions += size.actions;
    bytes += size.bytes;
    if (index > 0 && !fitsTransaction({ actions, bytes })) return index;
  }
  return sizes.length;
}

/** Several postings as one. */
export function joined(postings: readonly Posting[]): Posting {
  return {
    settlings: postings.flatMap(({ settlings }) => settlings),
    completions: postings.flatMap(({ completions }) => completions),
    effects: postings.flatMap(({ effects }) => effects),
  };
}
