/** `lockstep/avro`: values in Avro. Needs the package `avsc`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import avsc, { type Schema, type Type } from 'avsc';
import { checkedValue, type ValueDecoder } from '../record/decode.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { type Framing, undecodable, unframe } from './frame.ts';
import { remembered, type SchemaLookup } from './schema-lookup.ts';

export type { Framing, SchemaId } from './frame.ts';
export type { SchemaLookup } from './schema-lookup.ts';

/** A schema as an object, or as JSON. https://avro.apache.org/docs/1.12.0/specification/ */
export type AvroSchema = string | Schema;

/** How Avro is read. */
export interface AvroOptions<S extends StandardSchemaV1 | undefined = undefined> {
  /** The frame that the producer's serializer writes. @default none: the value is Avro's bytes alone */
  readonly framing?: Framing;
  /**
   * Finds the schema that a framed value was written with; `confluentRegistry(url)` of `lockstep/registry` asks a registry. The value
   * is then resolved to the decoder's own schema.
   *
   * @default every value was written with the decoder's own schema
   */
  readonly writer?: SchemaLookup<AvroSchema>;
  /** Checks and types the value, as in `json(schema)`. */
  readonly check?: S;
}

/**
 * Avro, with the frame of a schema registry or without. Long integers beyond `Number.MAX_SAFE_INTEGER` are undecodable. A tombstone
 * is `null`.
 *
 * @param schema - what the handler wants; a value that was written with another one is resolved to it
 * @throws TypeError at once for a schema that is none, or for `writer` without `framing`
 */
export function avro(schema: AvroSchema, options?: AvroOptions): ValueDecoder<unknown>;
export function avro<S extends StandardSchemaV1>(
  schema: AvroSchema,
  options: AvroOptions<S> & { readonly check: S },
): ValueDecoder<StandardSchemaV1.InferOutput<S>>;
export function avro(
  schema: AvroSchema,
  { framing, writer, check }: AvroOptions<StandardSchemaV1 | undefined> = {},
): ValueDecoder<unknown> {
  if (writer !== undefined && framing === undefined)
    throw new TypeError('expected `framing` together with `writer`: a value without a frame names no schema');
  const reader = typeOf(schema);
  const find = writer && remembered(writer, (found) => readingOf(reader, typeOf(found)));
  return {
    decode: (record) => {
      const value = record.valueBytes;
      if (value === null) return checkedValue(record, check, null);
      if (framing === undefined) return checkedValue(record, check, read(record, reader, value, undefined, value));
      const { schemaId, bytes } = unframe(record, value, framing);
      const found = find?.(schemaId);
      if (found instanceof Promise)
        return found.then((reading) => checkedValue(record, check, read(record, reader, bytes, reading)));
      return checkedValue(record, check, read(record, reader, bytes, found));
    },
  };
}

/** How values of a writer's schema become those of the reader's; `undefined` where the schemas are equal. */
interface Reading {
  readonly resolver: ReturnType<Type['createResolver']> | undefined;
}

function readingOf(reader: Type, writer: Type): Reading {
  return { resolver: reader.equals(writer) ? undefined : reader.createResolver(writer) };
}

/** avsc's own error quotes the value, so it is not kept as a cause: values are never logged. */
function read(record: DeliveredRecord, type: Type, bytes: Buffer, reading?: Reading, whole?: Buffer): unknown {
  try {
    return type.fromBuffer(bytes, reading?.resolver);
  } catch {
    throw undecodable(record, `is not Avro of the schema ${type.name ?? type.typeName}`, whole);
  }
}

function typeOf(schema: AvroSchema): Type {
  return avsc.Type.forSchema(typeof schema === 'string' ? JSON.parse(schema) : schema);
}
