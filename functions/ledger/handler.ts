import { byPosition, json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { Entry } from './entry.ts';
import { postEntry } from './post-entry.ts';

const post = postEntry({ entries: process.env['ENTRIES_TABLE'] ?? '', balances: process.env['BALANCES_TABLE'] ?? '' });

export const handler = lockstepConsumer({
  value: json(Entry),
  idempotencyKey: byPosition,
  order: 'key',
  onRecord: ({ value }, { transact }) => transact(...post(value)),
});
