import type { Order } from './order.ts';

/** Where orders are kept. */
export interface OrderBook {
  /** Writes an order down, and counts how often that was done. */
  write(order: Order): Promise<void>;
}

/** Whether a customer is good for an order. Throws when it cannot say. */
export type CreditCheck = (order: Order, signal: AbortSignal) => Promise<void>;

/** Applies an order: asks for credit, then writes it down. */
export function applyOrder(
  book: OrderBook,
  checkCredit: CreditCheck,
): (order: Order, signal: AbortSignal) => Promise<void> {
  return async (order, signal) => {
    await checkCredit(order, signal);
    await book.write(order);
  };
}
