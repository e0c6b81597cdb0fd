import type { SchemaId } from './frame.ts';

/** Finds the schema with which a value was written. What it gives is kept for the life of the process. */
export type SchemaLookup<S> = (id: SchemaId) => S | Promise<S>;

/** How many schemas a process keeps. */
const MOST = 1_000;

/** Remembers what was found. A failure is not kept: the next record asks again. */
export function remembered<S, T>(lookup: SchemaLookup<S>, prepare: (found: S) => T): (id: SchemaId) => T | Promise<T> {
  const known = new Map<SchemaId, T>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    return Promise.resolve(lookup(id)).then((found) => {
      const prepared = prepare(found);
      if (known.size >= MOST) known.delete([...known.keys()][0] ?? id);
      known.set(id, prepared);
      return prepared;
    });
  };
}

export interface ConfluentRegistryOptions {
  /** Sent with each request, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Looks schemas up in Confluent's schema registry, or in one with its API.
 *
 * @param url - for example `https://registry.example.com`; a user and password in it are not sent: use `headers`
 * @throws what makes the record undecodable: with `onUndecodable: 'retry'` it is tried again, instead of dead-lettered, while the
 * registry is down
 */
export function confluentRegistry(
  url: string,
  { headers = {}, timeoutMs = 5_000 }: ConfluentRegistryOptions = {},
): SchemaLookup<string> {
  const base = new URL(url);
  return async (id) => {
    const place = new URL(`${base.pathname.replace(/\/$/, '')}/schemas/ids/${encodeURIComponent(id)}`, base.origin);
    const answer = await fetch(place, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`the schema registry answered ${answer.status} for schema ${id}`);
    const found: unknown = await answer.json();
    const schema = typeof found === 'object' && found !== null ? Reflect.get(found, 'schema') : undefined;
    if (typeof schema !== 'string') throw new Error(`the schema registry has no text for schema ${id}`);
    return schema;
  };
}
