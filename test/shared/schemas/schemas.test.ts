import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { fileDesc, messageDesc } from '@bufbuild/protobuf/codegenv2';
import * as v from 'valibot';
import { expect, expectTypeOf, onTestFinished, test, vi } from 'vitest';
import { json } from '../../../shared/record/decode.ts';
import { DeliveredRecord } from '../../../shared/record/delivered-record.ts';
import { avro } from '../../../shared/schemas/avro.ts';
import { confluentRegistry, framed } from '../../../shared/schemas/framed.ts';
import { protobuf } from '../../../shared/schemas/protobuf.ts';

const VALUES = JSON.parse(readFileSync('test/fixtures/registry-values.json', 'utf8'));
const { first, second } = VALUES.schemas;
const { first: firstId, second: secondId } = VALUES.confluentIds;

/** @param value - base64 */
function recordOf(value: string | null): DeliveredRecord {
  return new DeliveredRecord({ topic: 'orders', partition: 3, offset: 1042, timestamp: 0, key: 'Yy0x', value });
}
const changed = (value: string, change: (bytes: Buffer) => Buffer) =>
  change(Buffer.from(value, 'base64')).toString('base64');

const Order = v.object({ orderId: v.string(), amount: v.number() });
const ORDER = { orderId: 'o-1', amount: 5.5 };

const orderFile = fileDesc(VALUES.descriptor);
const message = (index: number): DescMessage => messageDesc(orderFile, index);
const OrderMessage = {
  decode: (bytes: Uint8Array) => {
    const { orderId, amount } = fromBinary(message(0), bytes) as unknown as typeof ORDER;
    return { orderId, amount };
  },
};

test.each([
  ['Avro alone', avro(first), VALUES.avro.plain],
  ['Confluent Avro', avro(first, { framing: 'confluent' }), VALUES.avro.confluentFirst],
  ['Glue Avro', avro(first, { framing: 'glue' }), VALUES.avro.glue],
  ['Glue Avro, compressed', avro(first, { framing: 'glue' }), VALUES.avro.glueCompressed],
  ['Avro with a schema as text', avro(JSON.stringify(first)), VALUES.avro.plain],
  ['Confluent JSON', framed('confluent', json(Order)), VALUES.json.confluent],
  ['Glue JSON', framed('glue', json(Order)), VALUES.json.glue],
  ['Glue JSON, compressed', framed('glue', json(Order)), VALUES.json.glueCompressed],
  ['Protobuf alone', protobuf(OrderMessage), VALUES.protobuf.plain],
  ['Confluent Protobuf', protobuf(OrderMessage, { framing: 'confluent' }), VALUES.protobuf.confluent],
  [
    'Confluent Protobuf, another message of its file',
    protobuf(OrderMessage, { framing: 'confluent', messageIndexes: [1] }),
    VALUES.protobuf.confluentSecondMessage,
  ],
  [
    'Confluent Protobuf, a nested message',
    protobuf(OrderMessage, { framing: 'confluent', messageIndexes: [2, 0] }),
    VALUES.protobuf.confluentNested,
  ],
  // Sorted by full name: shop.Invoice, shop.Order, shop.Shipment, shop.Shipment.Order.
  ['Glue Protobuf', protobuf(OrderMessage, { framing: 'glue', messageIndexes: [1] }), VALUES.protobuf.glue],
  [
    'Glue Protobuf, compressed',
    protobuf(OrderMessage, { framing: 'glue', messageIndexes: [1] }),
    VALUES.protobuf.glueCompressed,
  ],
  [
    'Glue Protobuf, the first of its file',
    protobuf(OrderMessage, { framing: 'glue' }),
    VALUES.protobuf.glueSecondMessage,
  ],
  [
    'Glue Protobuf, a nested message',
    protobuf(OrderMessage, { framing: 'glue', messageIndexes: [3] }),
    VALUES.protobuf.glueNestedCompressed,
  ],
])('%s is decoded', (_, decoder, value) => {
  expect({ ...(decoder.decode(recordOf(value)) as object) }).toEqual(ORDER);
});

test('a value that was written with another schema is resolved to the reader’s; each schema is looked up once', async () => {
  const writer = vi.fn(async (id: unknown) => (id === secondId ? second : first));
  const decoder = avro(first, { framing: 'confluent', writer });
  const old = avro(second, { framing: 'confluent', writer });

  const orders = [VALUES.avro.confluentFirst, VALUES.avro.confluentSecond, VALUES.avro.confluentSecond];
  const values = [];
  for (const value of orders) values.push({ ...((await decoder.decode(recordOf(value))) as object) });

  expect(values).toEqual([ORDER, ORDER, ORDER]);
  expect(writer.mock.calls).toEqual([[1], [2]]);
  expect({ ...((await old.decode(recordOf(VALUES.avro.confluentFirst))) as object) }).toEqual({
    ...ORDER,
    currency: 'EUR',
  });
});

test('a failed look-up is not kept', async () => {
  const writer = vi.fn().mockRejectedValueOnce(new Error('the registry is down')).mockResolvedValue(first);
  const decoder = avro(first, { framing: 'glue', writer });

  await expect(decoder.decode(recordOf(VALUES.avro.glue))).rejects.toThrow('the registry is down');
  expect({ ...((await decoder.decode(recordOf(VALUES.avro.glue))) as object) }).toEqual(ORDER);

  expect(writer.mock.calls).toEqual([[VALUES.glueSchemaId], [VALUES.glueSchemaId]]);
});

const TOO_SHORT = 'AAAA';
test.each([
  [
    'Confluent without a frame',
    avro(first, { framing: 'confluent' }),
    VALUES.avro.plain,
    'has no frame of Confluent’s schema registry',
  ],
  ['Confluent, cut', framed('confluent', json()), TOO_SHORT, 'has no frame of Confluent’s schema registry'],
  [
    'Confluent where Glue is expected',
    avro(first, { framing: 'glue' }),
    VALUES.avro.confluentFirst,
    'has no frame of AWS Glue’s schema registry (a 3, a compression and 16 bytes): it begins as Confluent',
  ],
  [
    'Glue with an unknown compression',
    avro(first, { framing: 'glue' }),
    changed(VALUES.avro.glue, (bytes) => Buffer.from(bytes.fill(9, 1, 2))),
    'has the compression 9',
  ],
  [
    'Glue, compressed and damaged',
    avro(first, { framing: 'glue' }),
    changed(VALUES.avro.glueCompressed, (bytes) => bytes.subarray(0, 24)),
    'cannot be inflated',
  ],
  [
    'Avro that is cut',
    avro(first, { framing: 'confluent' }),
    changed(VALUES.avro.confluentFirst, (bytes) => bytes.subarray(0, 10)),
    'is not Avro of the schema shop.Order',
  ],
  [
    'framed Avro where none is expected',
    avro(first),
    VALUES.avro.confluentSecond,
    'is not Avro of the schema shop.Order: it begins as Confluent',
  ],
  [
    'another message of the file',
    protobuf(OrderMessage, { framing: 'confluent' }),
    VALUES.protobuf.confluentSecondMessage,
    'is message [1] of its schema file, expected [0]; `messageIndexes` says which',
  ],
  [
    'another message of the file, as Glue counts',
    protobuf(OrderMessage, { framing: 'glue' }),
    VALUES.protobuf.glue,
    'is message [1] of its schema file, in the order of full names, expected [0]; `messageIndexes` says which',
  ],
  [
    'Protobuf of Glue, compressed and damaged',
    protobuf(OrderMessage, { framing: 'glue' }),
    changed(VALUES.protobuf.glueCompressed, (bytes) => bytes.subarray(0, 24)),
    'cannot be inflated',
  ],
  [
    'JSON of Glue, compressed and damaged',
    framed('glue', json(Order)),
    changed(VALUES.json.glueCompressed, (bytes) => bytes.subarray(0, 24)),
    'cannot be inflated',
  ],
  [
    'JSON of Confluent, cut',
    framed('confluent', json(Order)),
    changed(VALUES.json.confluent, (bytes) => bytes.subarray(0, 20)),
    'is not JSON',
  ],
  [
    'message indexes that are cut',
    protobuf(OrderMessage, { framing: 'confluent' }),
    'AAAAAAqE',
    'ends within its message indexes',
  ],
  [
    'more message indexes than there can be',
    protobuf(OrderMessage, { framing: 'confluent' }),
    'AAAAAAr+/////w8=',
    'message indexes',
  ],
  [
    'Protobuf that is cut',
    protobuf(OrderMessage, { framing: 'confluent' }),
    changed(VALUES.protobuf.confluent, (bytes) => bytes.subarray(0, 9)),
    'is not a message of the given type',
  ],
  [
    'framed JSON under json',
    json(Order),
    VALUES.json.confluent,
    'Decode it with `lockstep/avro`, `lockstep/protobuf` or `lockstep/registry`',
  ],
])('%s is refused with its place and its remedy, and nothing of the value', (_, decoder, value, expected) => {
  let thrown: unknown;
  try {
    decoder.decode(recordOf(value));
  } catch (error) {
    thrown = error;
  }

  expect(thrown).toMatchObject({ code: 'KAFKA_VALUE_UNDECODABLE' });
  expect(String(thrown)).toContain('value of orders-3@1042 ');
  expect(String(thrown)).toContain(expected);
  expect(JSON.stringify([thrown, String((thrown as Error).cause)])).not.toContain('o-1');
});

test('a value that decodes and does not fit the check is invalid, as with json', () => {
  const check = v.object({ orderId: v.string(), amount: v.pipe(v.number(), v.minValue(10)) });

  expect(() => avro(first, { check }).decode(recordOf(VALUES.avro.plain))).toThrow(
    'KAFKA_VALUE_INVALID: value of orders-3@1042 does not fit the schema: amount: min_value',
  );
  expect(() => protobuf(OrderMessage, { check }).decode(recordOf(VALUES.protobuf.plain))).toThrow(
    'KAFKA_VALUE_INVALID',
  );
});

test('a tombstone is null, framed or not', () => {
  const decoders = [
    avro(first, { framing: 'confluent' }),
    protobuf(OrderMessage, { framing: 'glue' }),
    framed('confluent', json(v.nullable(Order))),
  ];

  expect(decoders.map((decoder) => decoder.decode(recordOf(null)))).toEqual([null, null, null]);
});

test('a schema that is none, and a look-up without a frame, are refused at once', () => {
  expect(() => avro('{"type":"nonsense"}')).toThrow('nonsense');
  expect(() => avro(first, { writer: () => first })).toThrow('expected `framing` together with `writer`');
});

test('values have the types of the check, of the message, or none', () => {
  expectTypeOf(avro(first).decode).returns.toBeUnknown();
  expectTypeOf(avro(first, { check: Order }).decode).returns.toEqualTypeOf<typeof ORDER | Promise<typeof ORDER>>();
  expectTypeOf(protobuf(OrderMessage).decode).returns.toEqualTypeOf<
    typeof ORDER | null | Promise<typeof ORDER | null>
  >();
});

test('Confluent’s registry is asked for the id, with the given headers; its refusals are errors', async () => {
  const asked: unknown[] = [];
  const server = createServer(({ url, headers: { authorization } }, response) => {
    asked.push([url, authorization]);
    if (url?.endsWith(`/${firstId}`)) response.end(JSON.stringify({ schema: JSON.stringify(first) }));
    else response.writeHead(url?.endsWith(`/${secondId}`) ? 404 : 200).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/registry/`;
  const lookup = confluentRegistry(url, { headers: { authorization: 'Basic abc' } });

  const decoder = avro(first, { framing: 'confluent', writer: lookup });
  expect({ ...((await decoder.decode(recordOf(VALUES.avro.confluentFirst))) as object) }).toEqual(ORDER);
  await expect(decoder.decode(recordOf(VALUES.avro.confluentSecond))).rejects.toThrow(
    'the schema registry answered 404 for schema 2',
  );
  await expect(lookup(9)).rejects.toThrow('the schema registry has no text for schema 9');

  expect(asked).toEqual([
    ['/registry/schemas/ids/1', 'Basic abc'],
    ['/registry/schemas/ids/2', 'Basic abc'],
    ['/registry/schemas/ids/9', 'Basic abc'],
  ]);
});
