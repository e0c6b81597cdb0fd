import { middyConsumer } from './consumer.ts';
import { dynamoDbSeenOrders } from './dynamodb-seen-orders.ts';

export const handler = middyConsumer(
  process.env['KEYED_BY'] === 'orderId' ? 'orderId' : 'position',
  dynamoDbSeenOrders(process.env['IDEMPOTENCY_TABLE'] ?? ''),
);
