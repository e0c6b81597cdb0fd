/** `lockstep/protobuf`: values in Protocol Buffers, read by any library. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { checkedValue, type ValueDecoder } from '../record/decode.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { type Framing, undecodable, unframe } from './frame.ts';

export type { Framing } from './frame.ts';

/**
 * What reads a message: a type of protobufjs or ts-proto. With @bufbuild/protobuf:
 * `{ decode: (bytes) => fromBinary(OrderSchema, bytes) }`.
 */
export interface MessageType<T> {
  decode(bytes: Uint8Array): T;
}

/** How Protocol Buffers are read. */
export interface ProtobufOptions<S extends StandardSchemaV1 | undefined = undefined> {
  /** The frame that the producer's serializer writes. @default none: the value is the message's bytes alone */
  readonly framing?: Framing;
  /**
   * Which message of its schema file the value is. With `framing`; another message is undecodable. Confluent: its place in the file
   * from 0, for a nested message one place a level. Glue: one number, its place among all messages of the file, nested ones
   * included, sorted by their full names.
   *
   * @default [0]
   */
  readonly messageIndexes?: readonly number[];
  /** Checks and types the value, as in `json(schema)`. */
  readonly check?: S;
}

/** Protocol Buffers, with the frame of a schema registry or without. A tombstone is `null`. */
export function protobuf<T>(type: MessageType<T>, options?: ProtobufOptions): ValueDecoder<T | null>;
export function protobuf<S extends StandardSchemaV1>(
  type: MessageType<unknown>,
  options: ProtobufOptions<S> & { readonly check: S },
): ValueDecoder<StandardSchemaV1.InferOutput<S>>;
export function protobuf(
  type: MessageType<unknown>,
  { framing, messageIndexes = [0], check }: ProtobufOptions<StandardSchemaV1 | undefined> = {},
): ValueDecoder<unknown> {
  return {
    decode: (record) => {
      const value = record.valueBytes;
      if (value === null) return checkedValue(record, check, null);
      const bytes =
        framing === undefined
          ? value
          : afterIndexes(record, unframe(record, value, framing).bytes, framing, messageIndexes);
      return checkedValue(record, check, message(record, type, bytes, framing === undefined ? value : undefined));
    },
  };
}

/** A library's own error may quote the value, so it is not kept as a cause: values are never logged. */
function message(record: DeliveredRecord, type: MessageType<unknown>, bytes: Buffer, whole?: Buffer): unknown {
  try {
    return type.decode(bytes);
  } catch {
    throw undecodable(record, 'is not a message of the given type', whole);
  }
}

/** The most levels of nested messages. */
const MOST_LEVELS = 64;

/**
 * The message behind its indexes. Confluent: how many there are, and the indexes, as zigzag varints; the usual `[0]` is one zero
 * byte. Glue: one varint, the message's place among all messages of the file, sorted by their full names.
 * https://github.com/awslabs/aws-glue-schema-registry/blob/master/serializer-deserializer/src/main/java/com/amazonaws/services/schemaregistry/serializers/protobuf/MessageIndexFinder.java
 */
function afterIndexes(record: DeliveredRecord, bytes: Buffer, framing: Framing, wanted: readonly number[]): Buffer {
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    throw undecodable(record, 'ends within its message indexes');
  };
  const zigzag = (): number => {
    const encoded = varint();
    return encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2;
  };
  const indexes: number[] = [];
  if (framing === 'glue') indexes.push(varint());
  else {
    const count = zigzag();
    if (count < 0 || count > MOST_LEVELS) throw undecodable(record, `has ${count} message indexes`);
    for (let level = 0; level < count; level++) indexes.push(zigzag());
    if (count === 0) indexes.push(0);
  }
  if (indexes.join() !== wanted.join())
    throw undecodable(
      record,
      `is message [${indexes.join(', ')}] of its schema file${framing === 'glue' ? ', in the order of full names' : ''}, expected [${wanted.join(', ')}]; \`messageIndexes\` says which`,
    );
  return bytes.subarray(at);
}
