import { NonRetryableError, type TransactAction } from '../../shared/lockstep-consumer.ts';
import type { StockChange } from './stock-change.ts';

/** Where the stock is kept, and which warehouses there are. */
export interface StockRoom {
  /** Name of the table, keyed by `sku`. */
  readonly table: string;
  readonly warehouses: readonly string[];
}

/**
 * The action that changes the stock of a SKU. The level never falls below zero: a REMOVE that comes before its ADD is refused.
 *
 * @throws NonRetryableError WAREHOUSE_UNKNOWN
 */
export function changeStock({ table, warehouses }: StockRoom): (change: StockChange) => TransactAction {
  return ({ changeId, sku, type, quantity, warehouse }) => {
    if (!warehouses.includes(warehouse))
      throw new NonRetryableError('the warehouse is not known', { code: 'WAREHOUSE_UNKNOWN' });
    const removes = type === 'REMOVE';
    return {
      Update: {
        TableName: table,
        Key: { sku: { S: sku } },
        UpdateExpression: 'SET changes = list_append(if_not_exists(changes, :none), :change) ADD #level :quantity',
        ...(removes && { ConditionExpression: '#level >= :least' }),
        ExpressionAttributeNames: { '#level': 'level' },
        ExpressionAttributeValues: {
          ':none': { L: [] },
          ':change': { L: [{ S: changeId }] },
          ':quantity': { N: String(removes ? -quantity : quantity) },
          ...(removes && { ':least': { N: String(quantity) } }),
        },
      },
    };
  };
}
