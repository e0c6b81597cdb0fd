import { json, type LockstepHandler, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { Shipment } from '../shipments/shipment.ts';
import { type DeliveryPlan, deliverShipment } from './deliver-shipment.ts';

/** The consumer of shipments over what it reaches: tests give it fakes. */
export function deliveriesConsumer(plan: DeliveryPlan): LockstepHandler {
  const deliverIt = deliverShipment(plan);
  return lockstepConsumer({
    value: json(Shipment),
    // A record that was produced twice after a crash has the same id both times, so it is delivered once.
    idempotencyKey: ({ headers }) => headers.text('x-lockstep-id') ?? '',
    onRecord: ({ value }) => deliverIt(value),
  });
}
