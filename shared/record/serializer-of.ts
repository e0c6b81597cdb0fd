/**
 * Names the serializer that a value seems to come from, and what to do about it; `undefined` where there is no sign of one.
 * Says nothing of the value.
 *
 * Confluent's serializers write a zero and a schema id of 4 bytes before the value. AWS Glue's write a version (3), a
 * compression (0 or 5) and a schema version id of 16 bytes.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export function serializerOf(value: Buffer): string | undefined {
  const [first, second] = value;
  if (first === 0 && value.length > 5)
    return `it begins as Confluent's schema registry serializers write it. ${REGISTRY_REMEDY}`;
  if (first === 3 && (second === 0 || second === 5) && value.length > 18)
    return `it begins as the serializers of AWS Glue's schema registry write it. ${REGISTRY_REMEDY}`;
  if (first === 0x1f && second === 0x8b) return 'it is compressed with gzip. Decompress it in a decoder of your own';
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return 'it is UTF-16 text. Decode it in a decoder of your own';
  return undefined;
}

const REGISTRY_REMEDY =
  'Decode it with `lockstep/avro`, `lockstep/protobuf` or `lockstep/registry`, or give the LockstepConsumer construct a `schemaRegistry`';
