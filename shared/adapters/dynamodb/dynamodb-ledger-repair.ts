import {
  GetItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { BrokenItem, LedgerRepair } from '../../ports/ledger-repair.ts';
import { StoreError } from '../../ports/store-error.ts';
import { ledgerKey } from '../../record/item-identifier.ts';
import { type DynamoDbStoreOptions, failingAs } from './dynamodb-ledger-store.ts';
import { type Attributes, number, readNumber, text } from './ledger-attributes.ts';
import { decodePartitionItem, LEDGER_VERSION, PARKED_VERSION } from './ledger-item.ts';

/** Every claim and every write changes one of these. */
const SEEN = ['v', 'epoch', 'rev', 'owner', 'leaseUntil'] as const;

/** Repairs the ledger in DynamoDB. @throws StoreError LEDGER_UNAVAILABLE */
export function dynamoDbLedgerRepair({ client, table }: DynamoDbStoreOptions): LedgerRepair<Attributes> {
  return {
    look: (partition) =>
      failingAs(table, 'a read', async () => {
        const Key = { pk: text(ledgerKey(partition)) };
        const { Item = {} } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
        return Object.keys(Item).length === 0 ? undefined : brokenItem(Item);
      }),
    replace: (partition, { seen }, epoch, now, effects) =>
      failingAs(table, 'a repair', async () => {
        const Item = {
          pk: text(ledgerKey(partition)),
          // What is parked stays parked: the item of each key is still there.
          ...(seen['parked'] === undefined
            ? { v: number(LEDGER_VERSION) }
            : { v: number(PARKED_VERSION), parked: seen['parked'] }),
          epoch: number(epoch),
          rev: number((countIn(seen, 'rev') ?? 0) + 1),
          leaseUntil: number(now),
        };
        const Put = { TableName: table, Item, ...stillIs(seen) };
        try {
          const TransactItems = [{ Put }, ...(effects as TransactWriteItem[])];
          await client.send(new TransactWriteItemsCommand({ TransactItems }));
          return true;
        } catch (error) {
          const reasons = error instanceof TransactionCanceledException ? error.CancellationReasons : undefined;
          if (reasons?.[0]?.Code === 'ConditionalCheckFailed') return false;
          throw error;
        }
      }),
  };
}

function brokenItem(item: Attributes): BrokenItem<Attributes> | undefined {
  try {
    decodePartitionItem(item);
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const version = item['v'] === undefined ? 'it has no format version' : `its format version is ${item['v'].N}`;
    const epoch = countIn(item, 'epoch');
    const heldUntil = item['owner'] === undefined ? undefined : countIn(item, 'leaseUntil');
    return {
      why: error.cause instanceof Error ? error.cause.message : version,
      ...(epoch !== undefined && { epoch }),
      ...(heldUntil !== undefined && { heldUntil }),
      seen: item,
    };
  }
}

/** A whole number from 0 on; `undefined` for anything else. */
function countIn(item: Attributes, name: string): number | undefined {
  if (item[name]?.N === undefined) return undefined;
  try {
    const value = readNumber(item, name);
    return value >= 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The item is there, and has not changed since it was read. */
function stillIs(item: Attributes) {
  const clauses = SEEN.map((name) =>
    item[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :${name}`,
  );
  const values = SEEN.flatMap((name) => (item[name] === undefined ? [] : [[`:${name}`, item[name]] as const]));
  return {
    ConditionExpression: ['attribute_exists(pk)', ...clauses].join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(SEEN.map((name) => [`#${name}`, name])),
    ...(values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(values) }),
  };
}
