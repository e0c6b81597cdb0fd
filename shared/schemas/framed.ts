/** `lockstep/registry`: values that a schema registry's serializer wrote. */
import type { ValueDecoder } from '../record/decode.ts';
import { DeliveredRecord } from '../record/delivered-record.ts';
import { type Framing, unframe } from './frame.ts';

export type { Framing, SchemaId } from './frame.ts';
export { type ConfluentRegistryOptions, confluentRegistry, type SchemaLookup } from './schema-lookup.ts';

/**
 * Takes a value out of the frame of a schema registry and gives it to another decoder: `framed('confluent', json(Order))` for JSON
 * schemas. The schema id is not looked up: the decoder checks the value. A tombstone has no frame.
 */
export function framed<V>(framing: Framing, decoder: ValueDecoder<V>): ValueDecoder<V> {
  return {
    decode: (record) => {
      const value = record.valueBytes;
      return decoder.decode(value === null ? record : withValue(record, unframe(record, value, framing).bytes));
    },
  };
}

/** The same record with another value. */
function withValue(record: DeliveredRecord, value: Buffer): DeliveredRecord {
  return new DeliveredRecord({
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    ...(record.timestampType !== undefined && { timestampType: record.timestampType }),
    key: record.encodedKey,
    value: value.toString('base64'),
    headers: [...record.headers].map(({ name, value: bytes }) => ({ [name]: [...bytes] })),
  });
}
