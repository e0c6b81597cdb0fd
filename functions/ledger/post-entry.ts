import type { TransactAction } from '../../shared/lockstep-consumer.ts';
import type { Entry } from './entry.ts';

/** Names of the tables: entries keyed by entry id, balances by account id. */
export interface LedgerTables {
  readonly entries: string;
  readonly balances: string;
}

/** The actions that book an entry, written together or not at all: the entry, and its amount added to the account's balance. */
export function postEntry({ entries, balances }: LedgerTables): (entry: Entry) => readonly TransactAction[] {
  return ({ entryId, accountId, amount }) => [
    {
      Put: {
        TableName: entries,
        Item: { entryId: { S: entryId }, accountId: { S: accountId }, amount: { N: String(amount) } },
        // A second check: an entry that another partition has booked is refused, not added again.
        ConditionExpression: 'attribute_not_exists(entryId)',
      },
    },
    {
      Update: {
        TableName: balances,
        Key: { accountId: { S: accountId } },
        UpdateExpression: 'ADD balance :amount, entries :one',
        ExpressionAttributeValues: { ':amount': { N: String(amount) }, ':one': { N: '1' } },
      },
    },
  ];
}
