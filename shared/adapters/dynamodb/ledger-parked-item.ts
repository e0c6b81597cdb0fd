import type { TransactWriteItem, Update } from '@aws-sdk/client-dynamodb';
import type { Park, ParkedKey } from '../../decide/parking.ts';
import { settledOrdinal } from '../../decide/parking.ts';
import { FRESH_PROGRESS, type ParkedItem } from '../../decide/progress.ts';
import type { WriteRequest } from '../../ports/ledger-store.ts';
import { type LedgerPartition, ledgerKey, parkedKeysKey } from '../../record/item-identifier.ts';
import { type Attributes, number, readNumber, readRanges, readText, text } from './ledger-attributes.ts';
import { decodePartitionItem, LEDGER_VERSION, readable } from './ledger-item.ts';

/*
 * A parked item has two parts. Who parks writes `sequence`, `tail`, `since`, `behind`, `fingerprint` and `key`, under the claim of
 * the partition, and never `rev`; who releases writes what a partition's item has too, and nothing else.
 */

/** What a transaction does about parked keys: each key's item, and the item that names them all where some are new. */
export function parkActions(
  table: string,
  { partition, epoch }: Pick<WriteRequest, 'partition' | 'epoch'>,
  parks: readonly Park[],
): TransactWriteItem[] {
  const created = parks.flatMap((park) => (park.created === undefined ? [] : park.key));
  const updates = parks.map((park) => parkUpdate(table, { ...partition, parkedKey: park.key }, park, epoch));
  return [...updates, ...(created.length === 0 ? [] : [namedKeys(table, partition, 'ADD', created)])].map((Update) => ({
    Update,
  }));
}

function parkUpdate(
  table: string,
  place: LedgerPartition,
  { sequence, from, to, created }: Park,
  epoch: number,
): Update {
  const Key = { pk: text(ledgerKey(place)) };
  if (created === undefined)
    return {
      TableName: table,
      Key,
      UpdateExpression: 'SET #tail = :to',
      ConditionExpression: '#sequence = :sequence AND #tail = :before',
      ExpressionAttributeNames: { '#tail': 'tail', '#sequence': 'sequence' },
      ExpressionAttributeValues: { ':to': number(to), ':before': number(from - 1), ':sequence': text(sequence) },
    };
  const attributes = {
    v: number(LEDGER_VERSION),
    epoch: number(epoch),
    rev: number(0),
    leaseUntil: number(0),
    sequence: text(sequence),
    tail: number(to),
    since: number(created.since),
    behind: text(created.behind),
    fingerprint: text(created.fingerprint),
    key: text(created.key),
  };
  const names = Object.keys(attributes);
  return {
    TableName: table,
    Key,
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: 'attribute_not_exists(pk)',
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

/** Changes the item that names the parked keys of a partition: nothing else in the table can be asked for them. */
export function namedKeys(
  table: string,
  partition: LedgerPartition,
  change: 'ADD' | 'DELETE',
  keys: readonly string[],
): Update {
  return {
    TableName: table,
    Key: { pk: text(parkedKeysKey(partition)) },
    UpdateExpression: `${change} #keys :keys`,
    ExpressionAttributeNames: { '#keys': 'keys' },
    ExpressionAttributeValues: { ':keys': { SS: [...keys] } },
  };
}

/** The item of a parked key as DynamoDB returned it. @throws StoreError LEDGER_ITEM_UNREADABLE, naming item and attribute */
export function decodeParkedItem(item: Attributes): ParkedItem {
  return { ...decodePartitionItem(item), ...readable(item, () => parkersPart(item)) };
}

function parkersPart(item: Attributes) {
  return {
    sequence: readText(item, 'sequence'),
    tail: readNumber(item, 'tail'),
    since: readNumber(item, 'since'),
    behind: readText(item, 'behind'),
    fingerprint: readText(item, 'fingerprint'),
    key: readText(item, 'key'),
  };
}

/** What is asked of a parked item that is only looked at. */
export const LOOKED_AT = ['pk', 'v', 'sequence', 'tail', 'settled'] as const;

/** Reads what {@link LOOKED_AT} names. @throws as {@link decodeParkedItem} */
export function decodeParkedKey(item: Attributes): ParkedKey {
  return readable(item, () => ({
    sequence: readText(item, 'sequence'),
    tail: readNumber(item, 'tail'),
    settled: settledOrdinal({ ...FRESH_PROGRESS, settled: readRanges(item, 'settled') }),
  }));
}
