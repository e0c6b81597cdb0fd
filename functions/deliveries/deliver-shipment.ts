import type { Shipment } from '../shipments/shipment.ts';

/** Where deliveries are planned. */
export interface DeliveryPlan {
  /** Adds a delivery, and counts how many times it was added. */
  add(shipment: Shipment): Promise<void>;
}

/** Plans the delivery of a shipment. */
export function deliverShipment(plan: DeliveryPlan): (shipment: Shipment) => Promise<void> {
  return (shipment) => plan.add(shipment);
}
