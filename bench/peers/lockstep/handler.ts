import { ordersConsumer } from './consumer.ts';

export const handler = ordersConsumer(process.env['KEYED_BY'] === 'orderId' ? 'orderId' : 'position');
