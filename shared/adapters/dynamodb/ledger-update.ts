import type { AttributeValue, Update } from '@aws-sdk/client-dynamodb';
import { type ClaimRequest, MAX_CLAIMS, type WriteRequest } from '../../ports/ledger-store.ts';
import { ledgerKey } from '../../record/item-identifier.ts';
import { number, text } from './ledger-attributes.ts';
import { encodeClaim, encodeProgress, LEDGER_VERSION, PARKED_VERSION, PROGRESS_ATTRIBUTES } from './ledger-item.ts';

/*
 * Some of the names are reserved words of DynamoDB, so all are written as `#name`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
 */
const CLAIM_NAMES = named(['pk', 'v', 'epoch', 'rev', 'owner', 'leaseUntil', 'claims']);
const WRITE_NAMES = named(['v', 'epoch', 'rev', 'owner', 'leaseUntil', 'claims', ...PROGRESS_ATTRIBUTES]);

const CLAIM_EXPRESSION =
  'SET #owner = :owner, #leaseUntil = :leaseUntil, #v = if_not_exists(#v, :v),' +
  ' #claims = list_append(if_not_exists(#claims, :none), :claim) ADD #epoch :one, #rev :one';

/*
 *   A claims (epoch 4)      A freezes        lease of A ends    B claims (epoch 5)     A goes on, commits
 *   ────────┬───────────────────┬──────────────────┬──────────────────┬──────────────────────┬────────▶
 *   owner A, claims [A]                            leaseUntil < :now  owner B, claims [A B]  refused: epoch 5
 *
 * The version is checked, too. Otherwise code that cannot read a newer item would still hold its partition for a lease.
 */
const CLAIM_CONDITION =
  '(attribute_not_exists(#owner) OR #leaseUntil < :now) AND (attribute_not_exists(#pk) OR #v <= :known)';

/** Room for the offsets of the claim: {@link MAX_CLAIMS}. */
const ROOM_CONDITION = ' AND (attribute_not_exists(#claims) OR size(#claims) < :most)';

const WRITE_CONDITION = '#epoch = :epoch AND #owner = :owner AND #rev = :rev';

/** The update that claims a partition. */
export function claimUpdate(table: string, request: ClaimRequest): Update {
  const { partition, owner, now, leaseUntil, offsets } = request;
  const needsRoom = offsets.length > 0;
  return {
    TableName: table,
    Key: { pk: text(ledgerKey(partition)) },
    UpdateExpression: CLAIM_EXPRESSION,
    ConditionExpression: needsRoom ? CLAIM_CONDITION + ROOM_CONDITION : CLAIM_CONDITION,
    ExpressionAttributeNames: CLAIM_NAMES,
    ExpressionAttributeValues: {
      ':owner': text(owner),
      ':leaseUntil': number(leaseUntil),
      ':v': number(LEDGER_VERSION),
      ':known': number(PARKED_VERSION),
      ':none': { L: [] },
      ':claim': { L: [encodeClaim(request)] },
      ':one': number(1),
      ':now': number(now),
      ...(needsRoom && { ':most': number(MAX_CLAIMS) }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** The update that writes the whole progress. */
export function progressUpdate(table: string, request: WriteRequest): Update {
  const { partition, epoch, owner, rev, leaseUntil, claimed, release, sequence, hasParked = false } = request;
  const created = request.park?.filter((one) => one.created !== undefined).length ?? 0;
  const values: Record<string, AttributeValue> = {
    ':epoch': number(epoch),
    ':owner': text(owner),
    ':rev': number(rev),
    ':nextRev': number(rev + 1),
    ':leaseUntil': number(leaseUntil),
    ':v': number(hasParked ? PARKED_VERSION : LEDGER_VERSION),
    ...(created > 0 && { ':created': number(created) }),
    ...(sequence !== undefined && { ':sequence': text(sequence) }),
  };
  const set = ['#rev = :nextRev', '#leaseUntil = :leaseUntil', '#v = :v'];
  const remove = release ? ['#owner', '#claims'] : [];
  if (!release) {
    set.push('#claims = :claims');
    values[':claims'] = { L: [encodeClaim({ owner, offsets: claimed })] };
  }
  const attributes = encodeProgress(request.progress);
  for (const name of PROGRESS_ATTRIBUTES) {
    const value = attributes[name];
    if (value === undefined) remove.push(`#${name}`);
    else {
      set.push(`#${name} = :${name}`);
      values[`:${name}`] = value;
    }
  }
  return {
    TableName: table,
    Key: { pk: text(ledgerKey(partition)) },
    UpdateExpression: `SET ${set.join(', ')}${remove.length === 0 ? '' : ` REMOVE ${remove.join(', ')}`}${created > 0 ? ' ADD #parked :created' : ''}`,
    ConditionExpression: sequence === undefined ? WRITE_CONDITION : `${WRITE_CONDITION} AND #sequence = :sequence`,
    ExpressionAttributeNames: {
      ...WRITE_NAMES,
      ...(created > 0 && { '#parked': 'parked' }),
      ...(sequence !== undefined && { '#sequence': 'sequence' }),
    },
    ExpressionAttributeValues: values,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function named(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`#${name}`, name]));
}
