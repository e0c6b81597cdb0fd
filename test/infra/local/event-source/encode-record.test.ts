import { expect, test } from 'vitest';
import { type EncodedRecord, encodeRecord, recordPrefix } from '../../../../infra/local/event-source/encode-record.ts';
import { envelopeOf, eventJson } from '../../../../infra/local/event-source/event-json.ts';
import type { OriginalBytes, OriginalRecordAt } from '../../../../shared/ports/original-reader.ts';

const prefix = recordPrefix({ topic: 'my-orders', partition: 3 });

function message({
  offset = 42,
  ...changes
}: Partial<OriginalBytes> & { readonly offset?: number } = {}): OriginalRecordAt {
  const record = { key: Buffer.from('a'), value: Buffer.from('{"id":1}'), headers: [], timestamp: 1_700_000_000_000 };
  return { offset, record: { ...record, ...changes } };
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

test('header bytes are signed, repeated headers stay where they are, names may hold anything', () => {
  const header = (name: string, text: string) => ({ name, value: Buffer.from(text) });
  const headers = [
    ...[header('twice', '1'), header('kind', 'ë'), header('7', 'x'), header('"ü"', 'x'), header('twice', '2')],
    ...[header('constructor', 'c'), header('__proto__', 'p'), header('', '')],
  ];
  const record = encodeRecord(prefix, message({ headers }));

  expect(record.json.slice(record.json.indexOf('"headers"'))).toBe(
    '"headers":[{"twice":[49]},{"kind":[-61,-85]},{"7":[120]},{"\\"ü\\"":[120]},{"twice":[50]},{"constructor":[99]},{"__proto__":[112]},{"":[]}]}',
  );
  expect(record.bytes).toBe(Buffer.byteLength(record.json));
  expect(record.bytes).toBe(record.json.length + 1);
});

test('the broker as the author of the timestamp is named', () => {
  expect(parsed(encodeRecord(prefix, message(), 'LOG_APPEND_TIME'))).toMatchObject({
    timestampType: 'LOG_APPEND_TIME',
  });
});

test('an event is its envelope and its partitions, as long as the limit takes it to be', () => {
  const envelope = envelopeOf('arn:aws:kafka:eu-west-1:0:cluster/c/1', '127.0.0.1:9092');
  const first = encodeRecord(prefix, message({ offset: 42 }));
  const second = encodeRecord(prefix, message({ offset: 43 }));
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
