import { isBranded } from '../errors.ts';

/** A thrown value, read once and safely: its getters may throw, too. */
export interface Thrown {
  readonly value: unknown;
  readonly name: string;
  readonly text: string;
  readonly stack: string | undefined;
  readonly cause: unknown;
  /** The errors of an AggregateError, otherwise empty. */
  readonly errors: readonly unknown[];
}

/** The most characters of a name, a text or a stack that are read. More would be cut away later. */
const MAX_READ = 262_144;

/**
 * Reads any thrown value: an error, a string, nothing at all. Never throws.
 *
 * @param quoting - whether objects that are not errors are quoted: they may be the record's value, or hold a secret
 */
export function readThrown(value: unknown, quoting = false): Thrown {
  if (typeof value !== 'object' || value === null) {
    return { value, name: value === null ? 'null' : typeof value, text: said(value).slice(0, MAX_READ), ...BARE };
  }
  const errors = field(value, 'errors');
  const stack = field(value, 'stack');
  const isError = typeof stack === 'string';
  return {
    value,
    name: isError || quoting ? nameOf(value) : classOf(value),
    text: isError || quoting ? textOf(value).slice(0, MAX_READ) : NO_ERROR,
    stack: isError ? stack.slice(0, MAX_READ) : undefined,
    cause: field(value, 'cause'),
    // Even asking whether it is an array throws for a revoked proxy.
    errors: safely(() => (Array.isArray(errors) ? errors : []), []),
  };
}

const NO_ERROR = 'an object that is not an Error was thrown; the option `redact` shows what is in it';

/** The most causes of an error that are read. */
const MAX_CAUSES = 5;

/**
 * The error, its cause, the cause of that one, and so on, at most {@link MAX_CAUSES} and never in a circle. Never throws.
 *
 * @param quoting - whether texts that may quote a record's value are included
 */
export function causeChain(error: unknown, quoting = false): Thrown[] {
  const seen = new Set<unknown>();
  const chain: Thrown[] = [];
  let current: unknown = error;
  while (chain.length <= MAX_CAUSES && !seen.has(current)) {
    if (!quoting && isBranded(current, 'QuotingCause')) break;
    seen.add(current);
    const thrown = readThrown(current, quoting);
    chain.push(thrown);
    if (thrown.cause === undefined || thrown.cause === null) break;
    current = thrown.cause;
  }
  return chain;
}

const BARE = { stack: undefined, cause: undefined, errors: [] };

function nameOf(value: object): string {
  const name = field(value, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name.slice(0, MAX_READ);
  // `class Rejected extends Error {}` leaves the name at "Error". Its constructor says more.
  return classOf(value);
}

function classOf(value: object): string {
  const made = field(value, 'constructor');
  const className = typeof made === 'function' ? field(made, 'name') : undefined;
  return typeof className === 'string' && className !== '' ? className : 'Error';
}

/** The class or type of a thrown value. It says nothing of the value's content, even if an error sets its own name. */
export function classNameOf(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' || typeof value === 'function' ? classOf(value) : typeof value;
}

/** For JSON.stringify: leaves out members and characters of very large values. */
function bounded(_: string, member: unknown): unknown {
  if (typeof member === 'string') return member.slice(0, 10_000);
  if (typeof member !== 'object' || member === null) return member;
  if (Array.isArray(member)) return member.slice(0, 100);
  const named = Object.entries(member).slice(0, 100);
  return Object.fromEntries(named.map(([name, inner]) => [name.slice(0, 1_000), inner]));
}

function textOf(value: object): string {
  const message = field(value, 'message');
  if (typeof message === 'string') return message;
  return safely(() => JSON.stringify(value, bounded) ?? '', '');
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
