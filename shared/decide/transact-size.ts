/** Actions of one TransactWriteItems. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
export const MAX_TRANSACTION_ACTIONS = 100;

/**
 * Bytes of all effects in one transaction. DynamoDB takes 4 MB in all. The partition's own item may take 400 KB of it; the rest
 * is for keys and for what our estimate does not count.
 */
export const MAX_EFFECT_BYTES = 3_500_000;

/** Actions that one record may add. Two are kept for the partition's item and the record's idempotency key. */
export const MAX_RECORD_ACTIONS = MAX_TRANSACTION_ACTIONS - 2;

/** Bytes of an action: its names, texts, numbers and binaries, counted as DynamoDB counts them, expressions included. */
export function actionBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 0;
  for (const [name, member] of Object.entries(value))
    bytes += (Array.isArray(value) ? 1 : Buffer.byteLength(name)) + actionBytes(member);
  return bytes;
}
