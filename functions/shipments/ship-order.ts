import type { Order } from '../orders/order.ts';
import type { Shipment } from './shipment.ts';

/** The shipment of an order; free orders ship nothing. */
export function shipOrder({ orderId, customerId, amount }: Order): Shipment | undefined {
  return amount === 0 ? undefined : { orderId, customerId };
}
