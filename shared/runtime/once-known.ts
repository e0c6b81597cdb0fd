/**
 * Goes on with a value at once where it is known, else when its promise has settled. Of nearly every record the decoder, the
 * idempotency key and the end of the call are known at once, and a promise for each of them cost a fifth of the runtime's work for
 * a record. Only what runs for each record uses it. Everywhere else the runtime awaits.
 */
export function onceKnown<T, R>(value: Promise<T> | T, goOn: (value: T) => Promise<R> | R): Promise<R> | R {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
