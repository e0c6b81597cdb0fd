import * as v from 'valibot';

/** A change of the stock of one SKU in a warehouse. */
export const StockChange = v.strictObject({
  changeId: v.pipe(v.string(), v.minLength(1)),
  sku: v.pipe(v.string(), v.minLength(1)),
  type: v.picklist(['ADD', 'REMOVE']),
  quantity: v.pipe(v.number(), v.integer(), v.minValue(1)),
  warehouse: v.pipe(v.string(), v.minLength(1)),
});

export type StockChange = v.InferOutput<typeof StockChange>;
