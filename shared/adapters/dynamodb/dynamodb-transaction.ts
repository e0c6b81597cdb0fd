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

/** The ledger's own part of a transaction comes first: its update, then the items of the keys to be completed. */
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
 * @returns `undefined` where it says nothing about conditions: the error is to be thrown
 * @throws StoreError, not transient, where a key to be completed is no longer ours
 */
function answerOfFailedTransaction(error: unknown, shape: TransactionShape): WriteAnswer | undefined {
  if (error instanceof TransactionCanceledException) return answerOfReasons(error, shape);
  if (!blamesEffects(error, shape)) return undefined;
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
 * Whether DynamoDB refused the request as a whole because of an effect. The ledger's own part is valid as it stands, and its
 * table was there when the partition was claimed: an expression that does not parse, an item named twice or a table that does
 * not exist is the record handler's; so is a right that is missing, unless the refusal names the ledger's table.
 */
function blamesEffects(error: unknown, { table }: TransactionShape): error is Error {
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
