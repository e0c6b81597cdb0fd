/** A copy of plain data, as a real service returns it. Anything else is returned as it is. */
export function dataCopy<T>(value: T): T;
export function dataCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(dataCopy);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [dataCopy(key), dataCopy(member)]));
  if (value instanceof Set) return new Set([...value].map(dataCopy));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, dataCopy(member)]));
}

/** Whether it is a plain object. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
