import { creditCheck } from './credit-check.ts';
import { orderTable } from './order-book.ts';
import { ordersConsumer } from './orders-consumer.ts';

export const handler = ordersConsumer(
  orderTable(process.env['ORDERS_TABLE']),
  creditCheck(process.env['CREDIT_CHECK_URL']),
);
