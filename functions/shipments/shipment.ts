import * as v from 'valibot';

/** What is to be shipped for an order. */
export const Shipment = v.strictObject({
  orderId: v.pipe(v.string(), v.minLength(1)),
  customerId: v.pipe(v.string(), v.minLength(1)),
});

export type Shipment = v.InferOutput<typeof Shipment>;
