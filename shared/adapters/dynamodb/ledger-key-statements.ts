import type { BatchStatementRequest } from '@aws-sdk/client-dynamodb';
import type { KeyClaimRequest, KeyReturn } from '../../ports/idempotency-key-store.ts';
import type { KeyCompletion } from '../../ports/ledger-store.ts';
import { type Attributes, text } from './ledger-attributes.ts';
import { encodeKeyItem, holderText } from './ledger-key-item.ts';

/**
 * Puts the item of a key that has none, or replaces exactly one item. It is compared by all its attributes, whatever its format
 * version. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
 */
export function claimStatement(table: string, { key, item, replaces }: KeyClaimRequest): BatchStatementRequest {
  const { pk, ...attributes } = encodeKeyItem(key, item);
  if (replaces === undefined) return insert(table, { pk, ...attributes });
  const { v: _, ...replaced } = encodeKeyItem(key, replaces);
  return update(table, attributes, replaced);
}

/** Completes a key if `item.claimedBy` still holds it. Creates no item. */
export function completionStatement(table: string, { key, item }: KeyCompletion): BatchStatementRequest {
  const { pk, claimedBy, ...attributes } = encodeKeyItem(key, { ...item, status: 'COMPLETED' });
  return update(table, attributes, { pk, claimedBy });
}

/** Deletes a key that its holder has not completed, if it is still held for that record. */
export function returnStatement(table: string, { key, holder, position }: KeyReturn): BatchStatementRequest {
  const where = {
    pk: text(key),
    status: text('IN_PROGRESS'),
    claimedBy: holderText(holder),
    position: text(position),
  };
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
  return { Statement: `DELETE FROM "${table}" WHERE ${matching(where)}`, Parameters: Object.values(where) };
}

function insert(table: string, attributes: Attributes): BatchStatementRequest {
  const fields = Object.keys(attributes).map((name) => `'${name}': ?`);
  return { Statement: `INSERT INTO "${table}" VALUE {${fields.join(', ')}}`, Parameters: Object.values(attributes) };
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html */
function update(table: string, attributes: Attributes, where: Attributes): BatchStatementRequest {
  const changes = Object.keys(attributes).map((name) => `SET "${name}"=?`);
  return {
    Statement: `UPDATE "${table}" ${changes.join(' ')} WHERE ${matching(where)}`,
    Parameters: [...Object.values(attributes), ...Object.values(where)],
  };
}

function matching(where: Attributes): string {
  return Object.keys(where)
    .map((name) => `"${name}"=?`)
    .join(' AND ');
}
