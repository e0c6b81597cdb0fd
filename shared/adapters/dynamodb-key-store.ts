import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { KeyHolder, KeyItem } from '../decide/idempotency.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdempotencyKeyStore, KeyClaimAnswer, KeyClaimRequest } from '../ports/idempotency-key-store.ts';
import { StoreError } from '../ports/store-error.ts';
import { type DynamoDbStoreOptions, failingAs } from './dynamodb-ledger-store.ts';
import { number, text } from './ledger-attributes.ts';
import { completionPut, decodeKeyItem, encodeKeyItem, holderText } from './ledger-key-item.ts';

/** Keys of one BatchGetItem. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_A_REQUEST = 100;
/** Requests for what was not processed, before the look-up fails as throttled. */
const MAX_LOOK_UPS = 5;
const FIRST_BACK_OFF_MS = 20;

/** Where keys are kept, and what the pause before unprocessed keys are asked for again is waited with. */
export interface DynamoDbKeyStoreOptions extends DynamoDbStoreOptions {
  readonly clock: Pick<Clock, 'sleep'>;
}

/**
 * Idempotency keys in the ledger's table. `lookUp` is one consistent BatchGetItem per hundred keys, side by side; `claim` and
 * `complete` one conditional PutItem, `giveBack` one conditional DeleteItem.
 *
 * @throws StoreError LEDGER_UNAVAILABLE where DynamoDB does not answer or refuses, LEDGER_ITEM_UNREADABLE
 */
export function dynamoDbKeyStore({ client, table, clock }: DynamoDbKeyStoreOptions): IdempotencyKeyStore {
  const named = <T>(request: string, run: () => Promise<T>) => failingAs(table, request, run);
  return {
    lookUp: (keys) => named('a look-up of idempotency keys', () => lookUp(client, table, clock, keys)),
    claim: (request) => named('the claim of an idempotency key', () => claim(client, table, request)),
    complete: (key, item) => named('the completion of an idempotency key', () => complete(client, table, key, item)),
    giveBack: (key, holder) => named('giving back an idempotency key', () => giveBack(client, table, key, holder)),
  };
}

async function lookUp(
  client: DynamoDBClient,
  table: string,
  clock: Pick<Clock, 'sleep'>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyItem>> {
  // DynamoDB refuses a request that names a key twice.
  const distinct = [...new Set(keys)];
  const hundreds: string[][] = [];
  for (let at = 0; at < distinct.length; at += KEYS_A_REQUEST) hundreds.push(distinct.slice(at, at + KEYS_A_REQUEST));
  const found = await Promise.all(hundreds.map((hundred) => lookUpHundred(client, table, clock, hundred)));
  return new Map(found.flat());
}

async function lookUpHundred(
  client: DynamoDBClient,
  table: string,
  clock: Pick<Clock, 'sleep'>,
  keys: readonly string[],
): Promise<[string, KeyItem][]> {
  const found: [string, KeyItem][] = [];
  let wanted: Record<string, AttributeValue>[] = keys.map((key) => ({ pk: text(key) }));
  for (let tries = 1; ; tries++) {
    const RequestItems = { [table]: { Keys: wanted, ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems }));
    for (const item of Responses?.[table] ?? []) found.push([item['pk']?.S ?? '', decodeKeyItem(item)]);
    wanted = UnprocessedKeys?.[table]?.Keys ?? [];
    if (wanted.length === 0) return found;
    if (tries === MAX_LOOK_UPS) {
      const left = `a look-up in table ${table} left ${wanted.length} of ${keys.length} keys unprocessed ${tries} times`;
      throw new StoreError(left, { transient: true });
    }
    await clock.sleep(FIRST_BACK_OFF_MS * 2 ** (tries - 1));
  }
}

async function claim(
  client: DynamoDBClient,
  table: string,
  { key, item, replaces, now }: KeyClaimRequest,
): Promise<KeyClaimAnswer> {
  const free = 'attribute_not_exists(#pk) OR #expiresAt <= :now';
  const exactly =
    '#status = :status AND #position = :position AND #claimedBy = :claimedBy AND #valueHash = :valueHash AND #expiresAt = :expiresAt';
  const command = new PutItemCommand({
    TableName: table,
    Item: encodeKeyItem(key, item),
    ConditionExpression: replaces === undefined ? free : `${free} OR (${exactly})`,
    ExpressionAttributeNames: {
      '#pk': 'pk',
      '#expiresAt': 'expiresAt',
      ...(replaces && {
        '#status': 'status',
        '#position': 'position',
        '#claimedBy': 'claimedBy',
        '#valueHash': 'valueHash',
      }),
    },
    ExpressionAttributeValues: {
      ':now': number(now / 1_000),
      ...(replaces && {
        ':status': text(replaces.status),
        ':position': text(replaces.position),
        ':claimedBy': holderText(replaces.claimedBy),
        ':valueHash': text(replaces.valueHash),
        ':expiresAt': number(replaces.expiresAt),
      }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await client.send(command);
    return { type: 'granted' };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { type: 'held', item: decodeKeyItem(error.Item ?? {}) };
  }
}

async function complete(client: DynamoDBClient, table: string, key: string, item: KeyItem): Promise<boolean> {
  return unlessRefused(() => client.send(new PutItemCommand(completionPut(table, key, item))));
}

async function giveBack(client: DynamoDBClient, table: string, key: string, holder: KeyHolder): Promise<void> {
  await unlessRefused(() =>
    client.send(
      new DeleteItemCommand({
        TableName: table,
        Key: { pk: text(key) },
        ConditionExpression: '#status = :inProgress AND #claimedBy = :holder',
        ExpressionAttributeNames: { '#status': 'status', '#claimedBy': 'claimedBy' },
        ExpressionAttributeValues: { ':inProgress': text('IN_PROGRESS'), ':holder': holderText(holder) },
      }),
    ),
  );
}

/** Whether the request's condition held. */
async function unlessRefused(send: () => Promise<unknown>): Promise<boolean> {
  try {
    await send();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
