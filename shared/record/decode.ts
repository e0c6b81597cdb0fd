import type { StandardSchemaV1 } from '@standard-schema/spec';
import { LockstepError, QuotingCause } from '../errors.ts';
import type { DeliveredRecord } from './delivered-record.ts';
import { describeIssues, quoteIssues } from './schema-issues.ts';
import { serializerOf } from './serializer-of.ts';

/**
 * Turns a record's bytes into the value for the handler. The value is what it returns or resolves to. A record is undecodable
 * when it throws or rejects. `undefined` is not a value: it counts as a mistake in the decoder.
 */
export interface ValueDecoder<V> {
  // An object, not a function: TypeScript does not infer V from a call that returns a function.
  decode(record: DeliveredRecord): V | Promise<V>;
  /** A schema is not a decoder: `json(schema)` makes one. */
  readonly '~standard'?: never;
  /** A codec decodes bytes, not records: `{ decode: ({ valueBytes }) => codec.decode(valueBytes) }`. */
  readonly encode?: never;
}

/** The value's bytes as they are; `null` for a tombstone. */
export const bytes: ValueDecoder<Buffer | null> = { decode: (record) => record.valueBytes };

/**
 * The value as UTF-8 text, with a byte-order mark if there is one; `null` for a tombstone. Bytes that are not UTF-8 are
 * undecodable, never replaced.
 */
export const text: ValueDecoder<string | null> = {
  decode: (record) => {
    const value = record.valueBytes;
    if (value === null) return value;
    try {
      return exactUtf8.decode(value);
    } catch {
      throw undecodable(record, value, 'UTF-8');
    }
  },
};

const exactUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Removes a byte-order mark before JSON is parsed. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How JSON is read. */
export interface JsonOptions {
  /**
   * Integers beyond `Number.MAX_SAFE_INTEGER`, for example 64-bit ids, become `bigint` instead of being rounded. A value with
   * an integer of more than 1,000 digits is undecodable then.
   *
   * @default false
   */
  readonly exactIntegers?: boolean;
}

/**
 * JSON, checked by any Standard Schema (valibot, zod, arktype, …), synchronous or not. A tombstone is given to the schema as
 * `null`. Without a schema the value is `unknown`. https://standardschema.dev
 */
export function json(schema?: undefined, options?: JsonOptions): ValueDecoder<unknown>;
export function json<S extends StandardSchemaV1>(
  schema: S,
  options?: JsonOptions,
): ValueDecoder<StandardSchemaV1.InferOutput<S>>;
export function json(schema?: StandardSchemaV1, { exactIntegers = false }: JsonOptions = {}): ValueDecoder<unknown> {
  const parse = exactIntegers ? parseExactly : JSON.parse;
  const format = exactIntegers ? 'JSON with integers of at most 1,000 digits' : 'JSON';
  return {
    decode: (record) => {
      return checkedValue(record, schema, parsedValue(record, parse, format));
    },
  };
}

/** What a schema makes of a value; without a schema, the value. @throws LockstepError KAFKA_VALUE_INVALID */
export function checkedValue(record: DeliveredRecord, schema: StandardSchemaV1 | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  const result = schema['~standard'].validate(value);
  return isThenable(result)
    ? Promise.resolve(result).then((settled) => validated(record, schema, settled))
    : validated(record, schema, result);
}

/** Whether `await` would wait for it. Throws what its getters throw. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

function parsedValue(record: DeliveredRecord, parse: (text: string) => unknown, format: string): unknown {
  const value = record.valueBytes;
  if (value === null) return value;
  try {
    return parse(utf8.decode(value));
  } catch {
    // The parser's own error quotes the value, so it is not kept as a cause: values are never logged.
    throw undecodable(record, value, format);
  }
}

/** The most digits of an integer that is read exactly: reading n digits takes n² steps. */
const MAX_DIGITS = 1_000;

/** https://tc39.es/proposal-json-parse-with-source/ */
function parseExactly(json: string): unknown {
  const revive = (_: string, value: unknown, context?: { readonly source?: string }) => {
    if (Number.isSafeInteger(value)) return value;
    // Objects and lists have no source.
    const source = String(context?.source);
    if (!/^-?\d+$/.test(source)) return value;
    if (source.replace('-', '').length > MAX_DIGITS) throw new RangeError();
    return BigInt(source);
  };
  return JSON.parse(json, revive);
}

function undecodable(record: DeliveredRecord, value: Buffer, format: string): LockstepError {
  const serializer = serializerOf(value);
  return new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `value of ${record.position} is not ${format}${serializer === undefined ? '' : `: ${serializer}`}`,
  );
}

function validated(record: DeliveredRecord, schema: object, result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  throw new LockstepError(
    'KAFKA_VALUE_INVALID',
    `value of ${record.position} does not fit the schema: ${describeIssues(schema, result.issues)}`,
    { cause: new QuotingCause(quoteIssues(result.issues)) },
  );
}
