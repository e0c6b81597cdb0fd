/** What was thrown, read once and safely: getters of what is thrown may throw themselves. */
export interface Thrown {
  readonly value: unknown;
  readonly name: string;
  readonly text: string;
  readonly stack: string | undefined;
  readonly cause: unknown;
  /** Of an AggregateError, else empty. */
  readonly errors: readonly unknown[];
}

/** Reads any thrown value: an error, a string, nothing at all. Never throws. */
export function readThrown(value: unknown): Thrown {
  if (typeof value !== 'object' || value === null) {
    return { value, name: value === null ? 'null' : typeof value, text: said(value), ...BARE };
  }
  const errors = field(value, 'errors');
  const stack = field(value, 'stack');
  return {
    value,
    name: nameOf(value),
    text: textOf(value),
    stack: typeof stack === 'string' ? stack : undefined,
    cause: field(value, 'cause'),
    // Of a revoked proxy nobody may even ask whether it is an array.
    errors: safely(() => (Array.isArray(errors) ? errors : []), []),
  };
}

/** How many causes of an error are looked at. */
const MAX_CAUSES = 5;

/** The error, its cause, the cause of that one: as far as they are looked at, and never in a circle. Never throws. */
export function causeChain(error: unknown): Thrown[] {
  const seen = new Set<unknown>();
  const chain: Thrown[] = [];
  let current: unknown = error;
  while (chain.length <= MAX_CAUSES && !seen.has(current)) {
    seen.add(current);
    const thrown = readThrown(current);
    chain.push(thrown);
    if (thrown.cause === undefined || thrown.cause === null) break;
    current = thrown.cause;
  }
  return chain;
}

const BARE = { stack: undefined, cause: undefined, errors: [] };

function nameOf(value: object): string {
  const name = field(value, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  // `class Rejected extends Error {}` leaves the name at "Error"; its constructor says more.
  const made = field(value, 'constructor');
  const className = typeof made === 'function' ? field(made, 'name') : undefined;
  return typeof className === 'string' && className !== '' ? className : 'Error';
}

function textOf(value: object): string {
  const message = field(value, 'message');
  if (typeof message === 'string') return message;
  return safely(() => JSON.stringify(value) ?? '', '');
}

function field(value: object, name: string): unknown {
  return safely(() => Reflect.get(value, name), undefined);
}

function said(value: unknown): string {
  return value === undefined || value === null ? '' : safely(() => String(value), '');
}

function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
