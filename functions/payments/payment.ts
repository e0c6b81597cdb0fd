import * as v from 'valibot';

/** A payment to be charged. */
export const Payment = v.strictObject({
  paymentId: v.pipe(v.string(), v.minLength(1)),
  customerId: v.pipe(v.string(), v.minLength(1)),
  /** In cents. */
  amount: v.pipe(v.number(), v.integer(), v.minValue(1)),
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
});

export type Payment = v.InferOutput<typeof Payment>;
