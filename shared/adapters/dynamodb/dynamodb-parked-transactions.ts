import { type DynamoDBClient, TransactionCanceledException, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { WriteAnswer, WriteRequest } from '../../ports/ledger-store.ts';
import type { ParkedClaimAnswer, ParkedClaimRequest } from '../../ports/parked-keys.ts';
import { keyTakenOver } from '../../ports/store-error.ts';
import { type LedgerPartition, ledgerKey } from '../../record/item-identifier.ts';
import { number, text } from './ledger-attributes.ts';
import { encodeClaim } from './ledger-item.ts';
import { completionUpdate } from './ledger-key-item.ts';
import { decodeParkedItem, namedKeys } from './ledger-parked-item.ts';

/** Nobody holds an item. */
const FREE = '(attribute_not_exists(#owner) OR #leaseUntil < :now)';

/*
 *   partition   e7, released ──────▶ e8, nobody's          e9, an invocation
 *   ───────────────────────────┬────────────────────────────┬─────────────────────────▶
 *   parked key  released       e8, held by the release      … it ends under e8
 *
 * The release waits until nobody holds the partition, and takes its next epoch. So whoever claims the partition later has a higher one.
 */
export async function claimParked(
  client: DynamoDBClient,
  table: string,
  { partition, owner, now, leaseUntil, offsets, seen }: ParkedClaimRequest,
): Promise<ParkedClaimAnswer> {
  const { item } = seen;
  const { epoch, rev } = { epoch: seen.partition.epoch + 1, rev: item.rev + 1 };
  const claim = { owner, offsets };
  const whole = {
    TableName: table,
    Key: { pk: text(ledgerKey(withoutKey(partition))) },
    // Its claims stay: what a dead invocation had claimed is still waited for.
    UpdateExpression: 'SET #epoch = :epoch, #rev = :next REMOVE #owner',
    ConditionExpression: `#epoch = :before AND #rev = :rev AND ${FREE}`,
    ExpressionAttributeNames: names(['epoch', 'rev', 'owner', 'leaseUntil']),
    ExpressionAttributeValues: {
      ':epoch': number(epoch),
      ':before': number(seen.partition.epoch),
      ':rev': number(seen.partition.rev),
      ':next': number(seen.partition.rev + 1),
      ':now': number(now),
    },
  };
  const key = {
    TableName: table,
    Key: { pk: text(ledgerKey(partition)) },
    UpdateExpression:
      'SET #epoch = :epoch, #rev = :next, #owner = :owner, #leaseUntil = :leaseUntil, #claims = list_append(if_not_exists(#claims, :none), :claim)',
    ConditionExpression: `#sequence = :sequence AND #rev = :rev AND ${FREE}`,
    ExpressionAttributeNames: names(['epoch', 'rev', 'owner', 'leaseUntil', 'claims', 'sequence']),
    ExpressionAttributeValues: {
      ':epoch': number(epoch),
      ':rev': number(item.rev),
      ':next': number(rev),
      ':owner': text(owner),
      ':leaseUntil': number(leaseUntil),
      ':none': { L: [] },
      ':claim': { L: [encodeClaim(claim)] },
      ':sequence': text(item.sequence),
      ':now': number(now),
    },
  };
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Update: whole }, { Update: key }] }));
    return { type: 'granted', item: { ...item, epoch, rev, owner, leaseUntil, claims: [...item.claims, claim] } };
  } catch (error) {
    if (reasonsOf(error).some(({ Code }) => Code === 'ConditionalCheckFailed')) return { type: 'refused' };
    throw error;
  }
}

/** Deletes the item of a parked key, and takes it from the partition's count, if the claim is the caller's and the tail is as it knows it. */
export async function freeKey(
  client: DynamoDBClient,
  table: string,
  { partition, epoch, owner, rev, sequence = '', completions = [] }: WriteRequest,
  { tail }: { readonly tail: number },
): Promise<WriteAnswer> {
  const Delete = {
    TableName: table,
    Key: { pk: text(ledgerKey(partition)) },
    ConditionExpression:
      '#sequence = :sequence AND #epoch = :epoch AND #owner = :owner AND #rev = :rev AND #tail = :tail',
    ExpressionAttributeNames: names(['sequence', 'epoch', 'owner', 'rev', 'tail']),
    ExpressionAttributeValues: {
      ':sequence': text(sequence),
      ':epoch': number(epoch),
      ':owner': text(owner),
      ':rev': number(rev),
      ':tail': number(tail),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
  const Update = {
    TableName: table,
    Key: { pk: text(ledgerKey(withoutKey(partition))) },
    UpdateExpression: 'ADD #parked :less',
    ConditionExpression: 'attribute_exists(#parked)',
    ExpressionAttributeNames: names(['parked']),
    ExpressionAttributeValues: { ':less': number(-1) },
  };
  const named = namedKeys(table, partition, 'DELETE', [partition.parkedKey ?? '']);
  const completing = completions.map((completion) => ({ Update: completionUpdate(table, completion) }));
  const TransactItems = [{ Delete }, ...completing, { Update }, { Update: named }];
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems }));
    return { type: 'written' };
  } catch (error) {
    const [reason, ...others] = reasonsOf(error);
    const taken = completions.find((_, index) => others[index]?.Code === 'ConditionalCheckFailed');
    if (reason?.Code === 'None' && taken !== undefined) throw keyTakenOver(taken.item.position, error);
    if (reason?.Code !== 'ConditionalCheckFailed') throw error;
    const found = reason.Item;
    const item = found === undefined || Object.keys(found).length === 0 ? undefined : decodeParkedItem(found);
    if (item?.sequence !== sequence) return { type: 'refused', item: undefined };
    if (item.epoch !== epoch || item.owner !== owner || item.rev !== rev) return { type: 'refused', item };
    return { type: 'cancelled', reasons: [{ index: -1, code: reason.Code, text: reason.Message ?? reason.Code }] };
  }
}

function withoutKey({ parkedKey: _, ...partition }: LedgerPartition): LedgerPartition {
  return partition;
}

function names(all: readonly string[]): Record<string, string> {
  return Object.fromEntries(all.map((name) => [`#${name}`, name]));
}

function reasonsOf(error: unknown) {
  return (error instanceof TransactionCanceledException && error.CancellationReasons) || [];
}
