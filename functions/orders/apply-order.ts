import type { Order } from './order.ts';

/** Where orders are kept. */
export interface OrderBook {
  /** Writes an order, and counts how many times it was written. */
  write(order: Order): Promise<void>;
}

/** Whether a customer may place an order. Throws when it cannot decide. */
export type CreditCheck = (order: Order, signal: AbortSignal) => Promise<void>;

/** Applies an order: checks the credit, then writes the order. */
export function applyOrder(
  book: OrderBook,
  checkCredit: CreditCheck,
): (order: Order, signal: AbortSignal) => Promise<void> {
  return async (order, signal) => {
    await checkCredit(order, signal);
    await book.write(order);
  };
}
