import type { Update } from '@aws-sdk/client-dynamodb';
import type { KeyHolder, KeyItem } from '../../decide/idempotency.ts';
import type { KeyCompletion } from '../../ports/ledger-store.ts';
import { type Attributes, number, readNumber, readText, text } from './ledger-attributes.ts';
import { LEDGER_VERSION, readable } from './ledger-item.ts';

/** `claimedBy`: the holder's ledger key and epoch as one text, so that a condition can compare it. */
export function holderText({ ledgerKey, epoch }: KeyHolder) {
  return text(`${ledgerKey}#${epoch}`);
}

/** A key's item as attributes. */
export function encodeKeyItem(key: string, item: KeyItem) {
  return {
    pk: text(key),
    v: number(LEDGER_VERSION),
    status: text(item.status),
    position: text(item.position),
    claimedBy: holderText(item.claimedBy),
    valueHash: text(item.valueHash),
    expiresAt: number(item.expiresAt),
  };
}

/** Completes a key within a transaction, if `item.claimedBy` still holds it. */
export function completionUpdate(table: string, { key, item }: KeyCompletion): Update {
  const { pk, claimedBy, ...attributes } = encodeKeyItem(key, { ...item, status: 'COMPLETED' });
  const names = Object.keys(attributes);
  return {
    TableName: table,
    Key: { pk },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: '#claimedBy = :claimedBy',
    ExpressionAttributeNames: Object.fromEntries([...names, 'claimedBy'].map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      Object.entries({ ...attributes, claimedBy }).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

/**
 * A key's item as DynamoDB returned it.
 *
 * @throws StoreError LEDGER_ITEM_UNREADABLE, naming item and attribute
 */
export function decodeKeyItem(item: Attributes): KeyItem {
  return readable(item, () => ({
    status: readStatus(item),
    position: readText(item, 'position'),
    claimedBy: readHolder(item),
    valueHash: readText(item, 'valueHash'),
    expiresAt: readNumber(item, 'expiresAt'),
  }));
}

function readStatus(item: Attributes): KeyItem['status'] {
  const status = readText(item, 'status');
  if (status === 'IN_PROGRESS' || status === 'COMPLETED') return status;
  throw new TypeError(`expected attribute status to be IN_PROGRESS or COMPLETED, got ${status}`);
}

function readHolder(item: Attributes): KeyHolder {
  const found = /^(.+)#(\d+)$/.exec(readText(item, 'claimedBy'));
  if (found === null)
    throw new TypeError(`expected attribute claimedBy to end in #<epoch>, got ${item['claimedBy']?.S}`);
  return { ledgerKey: found[1] as string, epoch: Number(found[2]) };
}
