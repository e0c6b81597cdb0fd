import { inflateSync } from 'node:zlib';
import { LockstepError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { serializerOf } from '../record/serializer-of.ts';

/**
 * How a schema registry's serializer marks a value. `confluent`: a zero and a schema id of 4 bytes. `glue`: a version (3), a
 * compression (0, or 5 for zlib) and a schema version id of 16 bytes.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 * https://github.com/awslabs/aws-glue-schema-registry
 */
export type Framing = 'confluent' | 'glue';

/** Which schema a value was written with: Confluent's number, or Glue's schema version id as a UUID. */
export type SchemaId = number | string;

/** A value without its frame. */
export interface Unframed {
  readonly schemaId: SchemaId;
  readonly bytes: Buffer;
}

/** Bytes that a compressed value of Glue may become: what one record of Kafka may hold, many times over. */
const MAX_INFLATED_BYTES = 32 * 1024 * 1024;

/**
 * Takes a value out of its frame.
 *
 * @throws LockstepError KAFKA_VALUE_UNDECODABLE for a value without such a frame
 */
export function unframe(record: DeliveredRecord, value: Buffer, framing: Framing): Unframed {
  return framing === 'confluent' ? confluentFrame(record, value) : glueFrame(record, value);
}

function confluentFrame(record: DeliveredRecord, value: Buffer): Unframed {
  if (value[0] !== 0 || value.length < 5)
    throw undecodable(record, 'has no frame of Confluent’s schema registry (a zero and a schema id of 4 bytes)', value);
  return { schemaId: value.readUInt32BE(1), bytes: value.subarray(5) };
}

function glueFrame(record: DeliveredRecord, value: Buffer): Unframed {
  const [version, compression] = value;
  if (version !== 3 || value.length < 18)
    throw undecodable(record, 'has no frame of AWS Glue’s schema registry (a 3, a compression and 16 bytes)', value);
  if (compression !== 0 && compression !== 5)
    throw undecodable(record, `has the compression ${compression}, which AWS Glue’s schema registry does not know`);
  const id = value.toString('hex', 2, 18);
  const schemaId = id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  const rest = value.subarray(18);
  if (compression === 0) return { schemaId, bytes: rest };
  try {
    return { schemaId, bytes: inflateSync(rest, { maxOutputLength: MAX_INFLATED_BYTES }) };
  } catch {
    throw undecodable(record, 'is compressed with zlib, as its frame says, and cannot be inflated');
  }
}

/** @param value - may begin as another serializer writes it: the error says so */
export function undecodable(record: DeliveredRecord, what: string, value?: Buffer): LockstepError {
  const serializer = value && serializerOf(value);
  return new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `value of ${record.position} ${what}${serializer === undefined ? '' : `: ${serializer}`}`,
  );
}
