import * as v from 'valibot';

/** A booking on an account. */
export const Entry = v.strictObject({
  entryId: v.pipe(v.string(), v.minLength(1)),
  accountId: v.pipe(v.string(), v.minLength(1)),
  /** In cents; negative for a withdrawal. */
  amount: v.pipe(v.number(), v.integer()),
});

export type Entry = v.InferOutput<typeof Entry>;
