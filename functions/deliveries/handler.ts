import { json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { Shipment } from '../shipments/shipment.ts';
import { deliverShipment } from './deliver-shipment.ts';
import { deliveryTable } from './delivery-table.ts';

const deliverIt = deliverShipment(deliveryTable(process.env['DELIVERIES_TABLE']));

export const handler = lockstepConsumer({
  value: json(Shipment),
  // A record that was produced twice after a crash has the same id both times, so it is delivered once.
  idempotencyKey: ({ headers }) => headers.text('x-lockstep-id') ?? '',
  onRecord: ({ value }) => deliverIt(value),
});
