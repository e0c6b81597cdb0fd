import { deliveriesConsumer } from './deliveries-consumer.ts';
import { deliveryTable } from './delivery-table.ts';

export const handler = deliveriesConsumer(deliveryTable(process.env['DELIVERIES_TABLE']));
