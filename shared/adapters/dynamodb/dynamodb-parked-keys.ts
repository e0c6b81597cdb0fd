import {
  type AttributeValue,
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ParkedItem } from '../../decide/progress.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ParkedKeys } from '../../ports/parked-keys.ts';
import { StoreError } from '../../ports/store-error.ts';
import { type LedgerPartition, ledgerKey, parkedKeysKey } from '../../record/item-identifier.ts';
import { byChunk } from './by-chunk.ts';
import { type DynamoDbStoreOptions, failingAs } from './dynamodb-ledger-store.ts';
import { claimParked } from './dynamodb-parked-transactions.ts';
import { type Attributes, text } from './ledger-attributes.ts';
import { decodeParkedItem, decodeParkedKey, LOOKED_AT } from './ledger-parked-item.ts';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const HUNDREDS = { size: 100, atOnce: 10 };
/** Requests for what was not processed, before the look fails as throttled. */
const MOST_LOOKS = 5;
const FIRST_BACK_OFF_MS = 20;

/** Where parked keys are kept, and what the pause before unprocessed ones are asked for again is waited with. */
export interface DynamoDbParkedKeysOptions extends DynamoDbStoreOptions {
  readonly clock: Pick<Clock, 'sleep'>;
}

/**
 * Parked keys in the ledger's table. Looks are consistent BatchGetItems of a hundred, a claim is one TransactWriteItems.
 *
 * @throws StoreError LEDGER_UNAVAILABLE where DynamoDB does not answer or refuses, LEDGER_ITEM_UNREADABLE
 */
export function dynamoDbParkedKeys(options: DynamoDbParkedKeysOptions): ParkedKeys {
  const { client, table } = options;
  const looking = <T>(look: () => Promise<T>) => failingAs(table, 'a look at parked keys', look);
  return {
    look: (partition, keys) =>
      looking(async () => {
        const found = await itemsOf(options, partition, keys, LOOKED_AT);
        return new Map([...found].map(([key, item]) => [key, decodeParkedKey(item)]));
      }),
    list: (partition) =>
      looking(async () => {
        const keys = await namesOf(client, table, partition);
        const found = await itemsOf(options, partition, keys);
        return new Map([...found].map(([key, item]) => [key, decodeParkedItem(item)]));
      }),
    read: (partition) => looking(() => read(client, table, partition)),
    claim: (request) => failingAs(table, 'the claim of a parked key', () => claimParked(client, table, request)),
  };
}

async function read(
  client: DynamoDBClient,
  table: string,
  partition: LedgerPartition,
): Promise<ParkedItem | undefined> {
  const Key = { pk: text(ledgerKey(partition)) };
  const { Item = {} } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  return Object.keys(Item).length === 0 ? undefined : decodeParkedItem(Item);
}

async function namesOf(client: DynamoDBClient, table: string, partition: LedgerPartition): Promise<readonly string[]> {
  const Key = { pk: text(parkedKeysKey(partition)) };
  const { Item = {} } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
  return [...(Item['keys']?.SS ?? [])].sort();
}

/** Items by the hash of their key; those that are absent are left out. A key that came back unprocessed is asked for again. */
async function itemsOf(
  options: DynamoDbParkedKeysOptions,
  partition: LedgerPartition,
  keys: readonly string[],
  attributes?: readonly string[],
): Promise<ReadonlyMap<string, Attributes>> {
  const names = attributes && {
    ProjectionExpression: attributes.map((name) => `#${name}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name) => [`#${name}`, name])),
  };
  const found = await byChunk(keys, HUNDREDS, (hundred) => itemsOfHundred(options, partition, hundred, names));
  return new Map(found);
}

async function itemsOfHundred(
  { client, table, clock }: DynamoDbParkedKeysOptions,
  partition: LedgerPartition,
  keys: readonly string[],
  names: object | undefined,
): Promise<readonly (readonly [string, Attributes])[]> {
  const found: (readonly [string, Attributes])[] = [];
  let wanted: Record<string, AttributeValue>[] = keys.map((parkedKey) => ({
    pk: text(ledgerKey({ ...partition, parkedKey })),
  }));
  for (let looks = 1; ; looks++) {
    const RequestItems = { [table]: { Keys: wanted, ConsistentRead: true, ...names } };
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems }));
    for (const item of Responses?.[table] ?? []) found.push([item['pk']?.S?.split('#').at(-1) ?? '', item]);
    wanted = UnprocessedKeys?.[table]?.Keys ?? [];
    if (wanted.length === 0) return found;
    if (looks === MOST_LOOKS) {
      const left = `a look in table ${table} left ${wanted.length} of ${keys.length} parked keys unprocessed ${looks} times`;
      throw new StoreError(left, { transient: true });
    }
    await clock.sleep(FIRST_BACK_OFF_MS * 2 ** (looks - 1));
  }
}
