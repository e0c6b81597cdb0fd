import {
  type CancellationReason,
  type DynamoDBClient,
  DynamoDBServiceException,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type Update,
} from '@aws-sdk/client-dynamodb';
import type { EffectRefusal, WriteAnswer, WriteRequest } from '../../ports/ledger-store.ts';
import { keyTakenOver } from '../../ports/store-error.ts';
import { PASSING_REASONS } from './dynamodb-failure.ts';
import { itemOf } from './ledger-item.ts';
import { completionUpdate } from './ledger-key-item.ts';
import { parkActions } from './ledger-parked-item.ts';

/** The ledger's own actions of a transaction come first: its update, then the completion of keys. */
interface TransactionShape {
  readonly table: string;
  /** `orders-3@1042`: the records whose keys are completed, in the order of their actions. */
  readonly completed: readonly string[];
  /** Actions about parked keys, which come next. */
  readonly parks: number;
  /** Of the parked key that is written. */
  readonly sequence: string | undefined;
}

/** Writes progress together with effects and completed keys, all or nothing. */
export async function writeTransaction(
  client: DynamoDBClient,
  table: string,
  update: Update,
  request: WriteRequest,
): Promise<WriteAnswer> {
  const { effects = [], completions = [], park = [] } = request;
  const parking = park.length === 0 ? [] : parkActions(table, request, park);
  const completing = completions.map((completion) => ({ Update: completionUpdate(table, completion) }));
  const TransactItems = [{ Update: update }, ...completing, ...parking, ...(effects as TransactWriteItem[])];
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems }));
    return { type: 'written' };
  } catch (error) {
    const shape = {
      table,
      completed: completions.map(({ item }) => item.position),
      parks: parking.length,
      sequence: request.sequence,
    };
    const answer = answerOfFailedTransaction(error, shape);
    if (answer !== undefined) return answer;
    throw error;
  }
}

/**
 * What a failed transaction means.
 *
 * @returns `undefined` where it says nothing about conditions; then the caller throws the error
 * @throws StoreError, not transient, where a key to be completed is not ours any more
 */
function answerOfFailedTransaction(error: unknown, shape: TransactionShape): WriteAnswer | undefined {
  if (error instanceof TransactionCanceledException) return answerOfReasons(error, shape);
  if (!isCausedByEffects(error, shape)) return undefined;
  return { type: 'cancelled', reasons: [{ index: -1, code: error.name, text: error.message }] };
}

function answerOfReasons(
  cause: TransactionCanceledException,
  { completed, parks, sequence }: TransactionShape,
): WriteAnswer | undefined {
  const [ledger, ...others] = cause.CancellationReasons ?? [];
  if (ledger?.Code === 'ConditionalCheckFailed') {
    return { type: 'refused', item: itemOf(ledger.Item, sequence) };
  }
  if (ledger?.Code !== 'None') return undefined;
  const taken = completed.find((_, index) => others[index]?.Code === 'ConditionalCheckFailed');
  if (taken !== undefined) throw keyTakenOver(taken, cause);
  const refused = others.slice(completed.length).flatMap((reason, index) => toRefusal(reason, index - parks));
  return refused.length === 0 ? undefined : { type: 'cancelled', reasons: refused };
}

function toRefusal({ Code, Message }: CancellationReason, index: number): EffectRefusal[] {
  if (Code === undefined || Code === 'None' || PASSING_REASONS.has(Code)) return [];
  return [{ index, code: Code, text: Message ?? Code }];
}

/**
 * Whether DynamoDB refused the whole request because of an effect. The ledger's own actions are valid, and its table existed
 * when the partition was claimed. So the record handler caused an expression that does not parse, an item that is named twice,
 * and a table that does not exist. It also caused a missing permission, unless the refusal names the ledger's table.
 */
function isCausedByEffects(error: unknown, { table }: TransactionShape): error is Error {
  if (error instanceof TypeError) return true;
  if (!(error instanceof DynamoDBServiceException)) return false;
  switch (error.name) {
    case 'ValidationException':
    case 'ResourceNotFoundException':
    case 'SerializationException':
      return true;
    case 'AccessDeniedException':
      return !error.message.includes(`table/${table}`);
    default:
      return false;
  }
}
