import { byPosition, json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { Order } from '../orders/order.ts';
import { shipOrder } from './ship-order.ts';

const topic = process.env['SHIPMENTS_TOPIC'] ?? 'shipments';

export const handler = lockstepConsumer({
  value: json(Order),
  idempotencyKey: byPosition,
  onRecord: ({ key, value }, { produce }) => {
    const shipment = shipOrder(value);
    if (shipment !== undefined) produce(topic, { key, value: JSON.stringify(shipment) });
  },
});
