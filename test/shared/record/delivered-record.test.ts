import { describe, expect, test } from 'vitest';
import { ConsumerRecord } from '../../../shared/record/consumer-record.ts';
import { DeliveredRecord, type RawRecord } from '../../../shared/record/delivered-record.ts';
import { shortHash } from '../../../shared/record/value-hash.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const delivered = (changes: Partial<RawRecord> = {}) =>
  new DeliveredRecord({ topic: 'orders', partition: 3, offset: 1_042, timestamp: 5, ...changes });

describe('a delivered record', () => {
  test('decodes key and value when they are asked for', () => {
    const record = delivered({ key: base64('k'), value: base64('v'), timestampType: 'CREATE_TIME' });

    expect([record.key, record.keyBytes, record.encodedKey, record.valueBytes, record.timestampType]).toEqual([
      'k',
      Buffer.from('k'),
      'aw==',
      Buffer.from('v'),
      'CREATE_TIME',
    ]);
  });

  test.each([null, undefined])('without key and value (%s) has none', (nothing) => {
    const record = delivered(nothing === null ? { key: null, value: null } : {});

    expect([record.key, record.keyBytes, record.encodedKey, record.valueBytes]).toEqual([null, null, null, null]);
  });

  test('with empty key and value has them', () => {
    const record = delivered({ key: '', value: '' });

    expect([record.key, record.valueBytes]).toEqual(['', Buffer.alloc(0)]);
  });

  test('is named by its position', () => {
    expect(delivered().position).toBe('orders-3@1042');
  });

  test('is distinguished from another at its offset by a short hash of its value', () => {
    expect(delivered({ value: base64('a') }).valueHash).toBe('tpLqAvo6');
    expect(delivered({ value: base64('a') }).valueHash).toBe(delivered({ value: base64('a') }).valueHash);
    expect(delivered({ value: base64('b') }).valueHash).not.toBe(delivered({ value: base64('a') }).valueHash);
    expect([shortHash(null), shortHash('')]).toEqual(['m-TYIKyp', 'A6Wv6rxc']);
    expect(delivered().valueHash).toBe(delivered({ value: null }).valueHash);
  });
});

describe('the hash of a value that a schema registry decoded', () => {
  const framed = Buffer.from([0, 0, 0, 0, 7, 2, 0x7b]).toString('base64');
  const avro = Buffer.from([2, 0x7b, 0x14]).toString('base64');
  const valueSchemaMetadata = { dataFormat: 'AVRO', schemaId: '7' };

  test.each([
    ['an object', '{"id":1}', 'J'],
    ['an array with blanks around it', ' [1, 2]\n', 'J'],
    ['a string', '"a"', 'J'],
    ['a number', '-12', 'J'],
    ['true', 'true', 'J'],
    ['null', 'null', 'J'],
    ['bytes', '\u0002\u0014', 'S'],
    ['nothing', '', 'S'],
  ])('says in which form it came: %s', (_, value, form) => {
    const plain = delivered({ value: base64(value) }).valueHash;

    expect(delivered({ value: base64(value), valueSchemaMetadata }).valueHash).toBe(`${form}${plain}`);
  });

  test('says of the framed value that Kafka holds that it is no other form', () => {
    expect(delivered({ value: framed }).valueHash).toHaveLength(8);
    expect(delivered({ value: avro, valueSchemaMetadata }).valueHash).toMatch(/^S.{8}$/);
    expect(delivered({ value: framed, valueSchemaMetadata: null }).valueHash).toHaveLength(8);
  });

  test('of a tombstone is the same in every form', () => {
    expect(delivered({ value: null, valueSchemaMetadata }).valueHash).toBe('m-TYIKyp');
  });
});

describe('headers', () => {
  const { headers } = delivered({
    headers: [{ name: [90, 111, -61, -85] }, { trace: [49] }, { name: [50] }],
  });

  test('are signed bytes, as Java has them', () => {
    expect(headers.all('name').map(String)).toEqual(['Zoë', '2']);
  });

  test('keep their order and their duplicates', () => {
    expect([...headers].map(({ name, value }) => [name, value.toString()])).toEqual([
      ['name', 'Zoë'],
      ['trace', '1'],
      ['name', '2'],
    ]);
  });

  test('of one name: the last counts', () => {
    expect([headers.text('name'), headers.bytes('trace'), headers.text('other'), headers.all('other')]).toEqual([
      '2',
      Buffer.from('1'),
      undefined,
      [],
    ]);
  });

  test('without a value are empty', () => {
    const { headers: nothing } = delivered({ headers: JSON.parse('[{"a":null}]') });

    expect([...nothing]).toEqual([{ name: 'a', value: Buffer.alloc(0) }]);
  });

  test.each([null, undefined])('may be missing (%s)', (nothing) => {
    expect([...delivered(nothing === null ? { headers: null } : {}).headers]).toEqual([]);
  });
});

test('what a handler is given has the value and all else of the record', () => {
  const record = new ConsumerRecord(delivered({ key: base64('k'), value: base64('{}'), headers: [{ a: [49] }] }), {
    orderId: 'o-1',
  });

  expect({
    ...record,
    key: record.key,
    keyBytes: record.keyBytes,
    valueBytes: record.valueBytes,
    position: record.position,
  }).toEqual({
    topic: 'orders',
    partition: 3,
    offset: 1_042,
    timestamp: 5,
    value: { orderId: 'o-1' },
    key: 'k',
    keyBytes: Buffer.from('k'),
    valueBytes: Buffer.from('{}'),
    position: 'orders-3@1042',
  });
  expect(record.headers.text('a')).toBe('1');
});
