/** What the four consumers consume: some 300 bytes of JSON. */
export interface Order {
  readonly orderId: string;
  readonly customer: string;
  readonly cents: number;
  readonly note: string;
  /** This one cannot be applied. */
  readonly fails?: boolean;
}

/** The same work in all four: none, beyond having parsed the order. */
export async function applyOrder({ orderId, fails }: Order): Promise<void> {
  if (fails) throw new Error(`order ${orderId} cannot be applied`);
}
