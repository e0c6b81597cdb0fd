import { byPosition, json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { changeStock } from './change-stock.ts';
import { StockChange } from './stock-change.ts';

const change = changeStock({
  table: process.env['STOCK_TABLE'] ?? '',
  warehouses: (process.env['WAREHOUSES'] ?? '').split(','),
});

export const handler = lockstepConsumer({
  value: json(StockChange),
  idempotencyKey: byPosition,
  // REMOVE 50 must not run before ADD 100 of the same SKU, even if ADD cannot be handled now.
  order: 'key',
  retry: { onExhausted: 'park' },
  onRecord: ({ value }, { transact }) => transact(change(value)),
});
