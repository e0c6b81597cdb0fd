/**
 * Goes on with a value at once where it is known, else when its promise has settled. What decoders and idempotency keys answer is
 * known at once for nearly every record, and a promise for each answer cost a third of the runtime's work for a record. Everywhere
 * else the runtime awaits.
 */
export function onceKnown<T, R>(value: Promise<T> | T, goOn: (value: T) => Promise<R> | R): Promise<R> | R {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
