import { json, type LockstepHandler, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { applyOrder, type CreditCheck, type OrderBook } from './apply-order.ts';
import { Order } from './order.ts';

/** The consumer of orders over what it reaches: tests give it fakes. */
export function ordersConsumer(book: OrderBook, checkCredit: CreditCheck): LockstepHandler {
  const apply = applyOrder(book, checkCredit);
  return lockstepConsumer({
    value: json(Order),
    idempotencyKey: ({ value }) => value.orderId,
    onRecord: ({ value }, { signal }) => apply(value, signal),
  });
}
