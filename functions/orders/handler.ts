import { json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { applyOrder } from './apply-order.ts';
import { creditCheck } from './credit-check.ts';
import { Order } from './order.ts';
import { orderTable } from './order-book.ts';

const apply = applyOrder(orderTable(process.env['ORDERS_TABLE']), creditCheck(process.env['CREDIT_CHECK_URL']));

export const handler = lockstepConsumer({
  value: json(Order),
  idempotencyKey: ({ value }) => value.orderId,
  onRecord: ({ value }, { signal }) => apply(value, signal),
});
