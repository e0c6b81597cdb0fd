import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { PartitionItem } from '../../decide/progress.ts';
import {
  type ClaimAnswer,
  type ClaimRequest,
  type LedgerStore,
  MAX_CLAIMS,
  type WriteAnswer,
  type WriteRequest,
} from '../../ports/ledger-store.ts';
import { type LedgerPartition, ledgerKey } from '../../record/item-identifier.ts';
import { NO_OFFSETS } from '../../record/offset-ranges.ts';
import { text } from './ledger-attributes.ts';
import { decodePartitionItem, itemOf } from './ledger-item.ts';
import { claimUpdate, progressUpdate } from './ledger-update.ts';

/** Where the ledger is kept. */
export interface DynamoDbStoreOptions {
  /** As `dynamoDbClient` makes it: one request for each call. */
  readonly client: DynamoDBClient;
  /** Name of the ledger's table. Its partition key is the string `pk`. */
  readonly table: string;
}

/**
 * The ledger in DynamoDB. `claim` and `write` are one conditional UpdateItem, `write` with effects, and where keys park
 * or become free, one TransactWriteItems, `read` one consistent GetItem.
 *
 * @throws StoreError LEDGER_UNAVAILABLE where DynamoDB does not answer or refuses, LEDGER_ITEM_UNREADABLE
 */
export function dynamoDbLedgerStore({ client, table }: DynamoDbStoreOptions): LedgerStore {
  return {
    claim: (request) => failingAs(table, 'the claim', () => claim(client, table, request)),
    write: (request) => failingAs(table, 'a write', () => write(client, table, request)),
    read: (partition) => failingAs(table, 'a read', () => read(client, table, partition)),
  };
}

async function claim(client: DynamoDBClient, table: string, request: ClaimRequest): Promise<ClaimAnswer> {
  const command = new UpdateItemCommand({ ...claimUpdate(table, request), ReturnValues: 'ALL_NEW' });
  try {
    const { Attributes: granted } = await client.send(command);
    return { type: 'granted', item: decodePartitionItem(granted ?? {}) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const item = decodePartitionItem(error.Item ?? {});
    const isFree = item.owner === undefined || item.leaseUntil < request.now;
    if (!isFree || request.offsets.length === 0 || item.claims.length < MAX_CLAIMS) return { type: 'refused', item };
    const { first: _, ...bare } = request;
    return claim(client, table, { ...bare, offsets: NO_OFFSETS });
  }
}

async function write(client: DynamoDBClient, table: string, request: WriteRequest): Promise<WriteAnswer> {
  const { effects = [], completions = [], park = [] } = request;
  if (request.frees !== undefined) {
    const { freeKey } = await import('./dynamodb-parked-transactions.ts');
    return freeKey(client, table, request, request.frees);
  }
  const update = progressUpdate(table, request);
  if (effects.length > 0 || completions.length > 0 || park.length > 0) {
    // Its code is loaded only for consumers that use `transact`.
    const { writeTransaction } = await import('./dynamodb-transaction.ts');
    return writeTransaction(client, table, update, request);
  }
  try {
    await client.send(new UpdateItemCommand(update));
    return { type: 'written' };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException)
      return { type: 'refused', item: itemOf(error.Item, request.sequence) };
    throw error;
  }
}

async function read(
  client: DynamoDBClient,
  table: string,
  partition: LedgerPartition,
): Promise<PartitionItem | undefined> {
  const key = { pk: text(ledgerKey(partition)) };
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
  return itemOf(Item);
}

/** Runs a request. Its errors name the table and say whether another try can help. */
export async function failingAs<T>(table: string, request: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { storeError } = await import('./dynamodb-failure.ts');
    throw storeError(error, table, request);
  }
}
