import { deviceTable } from './device-table.ts';
import { eventsConsumer } from './events-consumer.ts';

export const handler = eventsConsumer(deviceTable(process.env['DEVICES_TABLE']));
