import type { Park } from '../decide/parking.ts';
import type { BlockedRecord } from '../decide/progress.ts';
import type { Settling } from '../decide/settle.ts';
import { actionBytes, MAX_EFFECT_BYTES, MAX_TRANSACTION_ACTIONS } from '../decide/transact-size.ts';
import type { KeyCompletion } from '../ports/ledger-store.ts';
import type { TransactAction } from '../transact-action.ts';

/** Records that settle in one transaction with their effects. */
export interface Transaction {
  readonly settlings: readonly Settling[];
  /** Completions of the keys of those records. */
  readonly completions: readonly KeyCompletion[];
  readonly effects: readonly TransactAction[];
  /** Keys that park or get more records, and the marks of those records. */
  readonly park?: readonly Park[];
  readonly marks?: readonly BlockedRecord[];
}

/** A write without effects. */
export const NO_TRANSACTION: Transaction = { settlings: [], completions: [], effects: [] };

/** How much of DynamoDB's limits a transaction takes, besides the partition's own item. */
export interface TransactionSize {
  readonly actions: number;
  readonly bytes: number;
}

/** How large a transaction is. */
export function transactionSize({ completions, effects, park = [] }: Transaction): TransactionSize {
  return {
    // The item that names a partition's parked keys is another one.
    actions: completions.length + effects.length + (park.length === 0 ? 0 : park.length + 1),
    bytes: effects.reduce((bytes, effect) => bytes + actionBytes(effect), 0),
  };
}

/** Whether DynamoDB accepts that much in one transaction. */
export function fitsTransaction({ actions, bytes }: TransactionSize): boolean {
  return actions < MAX_TRANSACTION_ACTIONS && bytes <= MAX_EFFECT_BYTES;
}

/** How many of the first transactions fit into one request. At least one, if there is one: a transaction is never split. */
export function sharing(sizes: readonly TransactionSize[]): number {
  let actions = 0;
  let bytes = 0;
  for (const [index, size] of sizes.entries()) {
    actions += size.actions;
    bytes += size.bytes;
    if (index > 0 && !fitsTransaction({ actions, bytes })) return index;
  }
  return sizes.length;
}

/** Several transactions as one. */
export function joined(transactions: readonly Transaction[]): Transaction {
  return {
    settlings: transactions.flatMap(({ settlings }) => settlings),
    completions: transactions.flatMap(({ completions }) => completions),
    effects: transactions.flatMap(({ effects }) => effects),
    park: transactions.flatMap(({ park = [] }) => park),
    marks: transactions.flatMap(({ marks = [] }) => marks),
  };
}
