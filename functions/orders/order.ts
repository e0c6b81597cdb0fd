import * as v from 'valibot';

/** An order as the shop produces it. */
export const Order = v.strictObject({
  orderId: v.pipe(v.string(), v.minLength(1)),
  customerId: v.pipe(v.string(), v.minLength(1)),
  /** In cents. */
  amount: v.pipe(v.number(), v.integer(), v.minValue(0)),
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
});

export type Order = v.InferOutput<typeof Order>;
