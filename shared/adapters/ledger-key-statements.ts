import type { AttributeValue, BatchStatementRequest } from '@aws-sdk/client-dynamodb';
import type { KeyClaimRequest, KeyReturn } from '../ports/idempotency-key-store.ts';
import type { KeyCompletion } from '../ports/ledger-store.ts';
import { text } from './ledger-attributes.ts';
import { encodeKeyItem, holderText } from './ledger-key-item.ts';

type Named = Readonly<Record<string, AttributeValue>>;

/**
 * Puts the item of a key that has none, or replaces exactly one, compared by all that it holds.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.insert.html
 */
export function claimStatement(table: string, { key, item, replaces }: KeyClaimRequest): BatchStatementRequest {
  const { pk, ...attributes } = encodeKeyItem(key, item);
  return replaces === undefined
    ? insert(table, { pk, ...attributes })
    : update(table, attributes, encodeKeyItem(key, replaces));
}

/** Completes a key, if `item.claimedBy` still holds it; makes none that is absent. */
export function completionStatement(table: string, { key, item }: KeyCompletion): BatchStatementRequest {
  const { pk, claimedBy, ...attributes } = encodeKeyItem(key, { ...item, status: 'COMPLETED' });
  return update(table, attributes, { pk, claimedBy });
}

/** Deletes a key that its holder has not completed. */
export function returnStatement(table: string, { key, holder }: KeyReturn): BatchStatementRequest {
  const where = { pk: text(key), status: text('IN_PROGRESS'), claimedBy: holderText(holder) };
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.delete.html
  return { Statement: `DELETE FROM "${table}" WHERE ${matching(where)}`, Parameters: Object.values(where) };
}

function insert(table: string, attributes: Named): BatchStatementRequest {
  const fields = Object.keys(attributes).map((name) => `'${name}': ?`);
  return { Statement: `INSERT INTO "${table}" VALUE {${fields.join(', ')}}`, Parameters: Object.values(attributes) };
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html */
function update(table: string, attributes: Named, where: Named): BatchStatementRequest {
  const changes = Object.keys(attributes).map((name) => `SET "${name}"=?`);
  return {
    Statement: `UPDATE "${table}" ${changes.join(' ')} WHERE ${matching(where)}`,
    Parameters: [...Object.values(attributes), ...Object.values(where)],
  };
}

function matching(where: Named): string {
  return Object.keys(where)
    .map((name) => `"${name}"=?`)
    .join(' AND ');
}
