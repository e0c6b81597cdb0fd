import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { type EncodedRecord, encodeRecord, recordPrefix } from '../../../../infra/local/event-source/encode-record.ts';
import { envelopeOf, eventJson } from '../../../../infra/local/event-source/event-json.ts';

const prefix = recordPrefix({ topic: 'my-orders', partition: 3 });

function message(changes: Partial<KafkaMessage> = {}): KafkaMessage {
  return {
    key: Buffer.from('a'),
    value: Buffer.from('{"id":1}'),
    timestamp: '1700000000000',
    attributes: 0,
    offset: '42',
    headers: {},
    ...changes,
  } as KafkaMessage;
}

const parsed = (record: EncodedRecord): unknown => JSON.parse(record.json);

test('a record has the fields that Lambda gives it', () => {
  const record = encodeRecord(prefix, message());

  expect(parsed(record)).toEqual({
    topic: 'my-orders',
    partition: 3,
    offset: 42,
    timestamp: 1_700_000_000_000,
    timestampType: 'CREATE_TIME',
    key: 'YQ==',
    value: 'eyJpZCI6MX0=',
    headers: [],
  });
  expect(record).toMatchObject({ offset: 42, timestamp: 1_700_000_000_000, bytes: record.json.length });
});

test('a missing key and the missing value of a tombstone are left out', () => {
  const record = parsed(encodeRecord(prefix, message({ key: null, value: null })));

  expect(record).not.toHaveProperty('key');
  expect(record).not.toHaveProperty('value');
});

test('an empty value is not a tombstone', () => {
  expect(parsed(encodeRecord(prefix, message({ value: Buffer.alloc(0) })))).toMatchObject({ value: '' });
});

test('header bytes are signed, repeated headers stay, names may hold anything', () => {
  const record = encodeRecord(
    prefix,
    message({ headers: { kind: Buffer.from('ë'), '"ü"': 'x', twice: [Buffer.from('1'), Buffer.from('2')] } }),
  );

  expect(parsed(record)).toMatchObject({
    headers: [{ kind: [-61, -85] }, { '"ü"': [120] }, { twice: [49] }, { twice: [50] }],
  });
  expect(record.bytes).toBe(Buffer.byteLength(record.json));
  expect(record.bytes).toBe(record.json.length + 1);
});

test('the broker as the author of the timestamp is named', () => {
  const stamped = { ...message(), batchContext: { timestampType: 1 } };

  expect(parsed(encodeRecord(prefix, stamped))).toMatchObject({ timestampType: 'LOG_APPEND_TIME' });
});

test('an event is its envelope and its partitions, as long as the limit takes it to be', () => {
  const envelope = envelopeOf('arn:aws:kafka:eu-west-1:0:cluster/c/1', '127.0.0.1:9092');
  const first = encodeRecord(prefix, message({ offset: '42' }));
  const second = encodeRecord(prefix, message({ offset: '43' }));
  const json = eventJson(envelope, [
    { partition: 'my-orders-3', records: [first, second] },
    { partition: 'my-orders-4', records: [first] },
  ]);

  expect(JSON.parse(json)).toEqual({
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:eu-west-1:0:cluster/c/1',
    bootstrapServers: '127.0.0.1:9092',
    records: { 'my-orders-3': [parsed(first), parsed(second)], 'my-orders-4': [parsed(first)] },
  });
  const counted = envelope.bytes + 2 * ('my-orders-3'.length + 6) + 3 * (first.bytes + 1);
  expect(json.length).toBeLessThanOrEqual(counted);
  expect(json.length).toBeGreaterThan(counted - 5);
});
