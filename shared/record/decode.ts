import type { StandardSchemaV1 } from '@standard-schema/spec';
import { LockstepError } from '../errors.ts';
import type { DeliveredRecord } from './delivered-record.ts';

/** A value, or why there is none. */
export type Decoded<V> =
  | { readonly type: 'decoded'; readonly value: V }
  | { readonly type: 'undecodable'; readonly stage: 'decode' | 'validate'; readonly error: LockstepError };

/** Turns a record's bytes into the value that the handler sees. Never throws for what a producer can send. */
export interface ValueDecoder<V> {
  // An object, not a function: TypeScript does not infer V from a call that returns a function.
  decode(record: DeliveredRecord): Decoded<V> | Promise<Decoded<V>>;
}

/** The value's bytes as they are; `null` for a tombstone. */
export const bytes: ValueDecoder<Buffer | null> = {
  decode: (record) => ({ type: 'decoded', value: record.valueBytes }),
};

/** The value as UTF-8 text; `null` for a tombstone. Bytes that are not UTF-8 are undecodable, never replaced. */
export const text: ValueDecoder<string | null> = {
  decode: (record) => {
    const value = record.valueBytes;
    if (value === null) return { type: 'decoded', value };
    try {
      return { type: 'decoded', value: utf8.decode(value) };
    } catch (cause) {
      return undecodable(record, 'UTF-8', cause);
    }
  },
};

// Keeps a leading byte-order mark out of JSON, and refuses what is not UTF-8 instead of replacing it.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * JSON, checked by any Standard Schema (valibot, zod, arktype, …), synchronous or not. A tombstone is given to the schema as
 * `null`. Without a schema the value is `unknown`. https://standardschema.dev
 */
export function json(): ValueDecoder<unknown>;
export function json<S extends StandardSchemaV1>(schema: S): ValueDecoder<StandardSchemaV1.InferOutput<S>>;
export function json(schema?: StandardSchemaV1): ValueDecoder<unknown> {
  return {
    decode: (record) => {
      const parsed = parse(record);
      if (parsed.type === 'undecodable' || schema === undefined) return parsed;
      const result = schema['~standard'].validate(parsed.value);
      return result instanceof Promise
        ? result.then((settled) => validated(record, settled))
        : validated(record, result);
    },
  };
}

function parse(record: DeliveredRecord): Decoded<unknown> {
  const value = record.valueBytes;
  if (value === null) return { type: 'decoded', value };
  try {
    return { type: 'decoded', value: JSON.parse(utf8.decode(value)) };
  } catch {
    // The parser's own error quotes the value, so it is not kept as a cause: values are never logged.
    return undecodable(record, 'JSON');
  }
}

function undecodable(record: DeliveredRecord, format: string, cause?: unknown): Decoded<never> {
  const error = new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `value of ${record.position} is not ${format}`,
    cause === undefined ? undefined : { cause },
  );
  return { type: 'undecodable', stage: 'decode', error };
}

function validated(record: DeliveredRecord, result: StandardSchemaV1.Result<unknown>): Decoded<unknown> {
  if (result.issues === undefined) return { type: 'decoded', value: result.value };
  const issues = result.issues.slice(0, 5).map(describeIssue).join('; ');
  const more = result.issues.length > 5 ? ` and ${result.issues.length - 5} more` : '';
  const error = new LockstepError(
    'KAFKA_VALUE_INVALID',
    `value of ${record.position} does not fit the schema: ${issues}${more}`,
  );
  return { type: 'undecodable', stage: 'validate', error };
}

function describeIssue({ message, path }: StandardSchemaV1.Issue): string {
  const place = (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('.');
  // Schema libraries quote the value they got; a value must not reach a log.
  const said = message
    .replace(/(\breceived|\bactual|\(was|\bvalue was:) .*/is, '$1 something else')
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"');
  return place === '' ? said : `${place}: ${said}`;
}
