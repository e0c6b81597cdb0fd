import { describe, expect, test } from 'vitest';
import { ConsumerRecord } from '../../../shared/record/consumer-record.ts';
import { DeliveredRecord, type RawRecord } from '../../../shared/record/delivered-record.ts';
import { differInValue, shortHash } from '../../../shared/record/value-hash.ts';

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

describe('a record of the event, compared with the delivered one', () => {
  const raw = { topic: 'orders', partition: 3, offset: 1_042, timestamp: 5, key: base64('k'), value: base64('v') };
  const { key: _, value: __, ...bare } = raw;

  test.each<[string, RawRecord | undefined, string | undefined]>([
    ['in nothing', { ...raw }, undefined],
    ['in its value', { ...raw, value: base64('w') }, 'value'],
    ['in its value, which is gone', { ...raw, value: null }, 'value'],
    ['in its key', { ...raw, key: base64('l') }, 'key'],
    ['in its key, which is gone', { ...raw, key: null }, 'key'],
    ['in its offset', { ...raw, offset: 1_043 }, 'offset'],
    ['in its timestamp', { ...raw, timestamp: 6 }, 'timestamp'],
    ['in its topic', { ...raw, topic: 'payments' }, 'topic'],
    ['in its place, where it is gone', undefined, 'offset'],
  ])('differs %s', (_, changed, member) => {
    expect(delivered(raw).changeIn(changed)).toBe(member);
  });

  test('differs in nothing where both have neither key nor value', () => {
    expect(delivered({ key: null, value: null }).changeIn(bare)).toBeUndefined();
    expect(delivered().changeIn({ ...bare, key: null, value: null })).toBeUndefined();
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
    ['bytes that only begin as JSON', '{"id":1}\u0002', 'S'],
    ['bytes that only end as JSON', '\u0002{"id":1}', 'S'],
  ])('says in which form it came: %s', (_, value, form) => {
    const plain = delivered({ value: base64(value) }).valueHash;

    expect(delivered({ value: base64(value), valueSchemaMetadata }).valueHash).toBe(`${form}${plain}`);
  });

  test('says of the framed value that Kafka holds that it is no other form', () => {
    expect(delivered({ value: framed }).valueHash).toHaveLength(8);
    expect(delivered({ value: avro, valueSchemaMetadata }).valueHash).toMatch(/^S.{8}$/);
    expect(delivered({ value: framed, valueSchemaMetadata: null }).valueHash).toHaveLength(8);
  });

  test.each([
    ['two hashes of one form', 'tpLqAvo6', 'A6Wv6rxc', true],
    ['a hash and itself', 'tpLqAvo6', 'tpLqAvo6', false],
    ['a hash and an unknown one', 'tpLqAvo6', '', false],
    ['an unknown hash and a known one', '', 'tpLqAvo6', false],
    ['the value as Kafka holds it and as JSON', 'tpLqAvo6', 'JA6Wv6rxc', false],
    ['the values as JSON and without framing', 'JtpLqAvo6', 'SA6Wv6rxc', false],
    ['two values as JSON', 'JtpLqAvo6', 'JA6Wv6rxc', true],
  ])('%s differ: %s, %s, %s', (_, a, b, differ) => {
    expect(differInValue(a, b)).toBe(differ);
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

  test('that hold no bytes are refused when they are read: only a forged event has them', () => {
    const { headers: forged } = delivered({ headers: JSON.parse('[{"a":5}]') });

    expect(() => forged.bytes('a')).toThrow(
      expect.objectContaining({
        code: 'EVENT_RECORD_MALFORMED',
        message: expect.stringContaining('EVENT_RECORD_MALFORMED: expected a header to be a list of bytes'),
        cause: expect.any(TypeError),
      }),
    );
  });

  test('are told by the name of the last one', () => {
    expect(delivered({ headers: [{ a: [49] }, { b: [49] }, { c: [49], d: [49], e: [49] }] }).lastHeaderName).toBe('e');
    expect(delivered().lastHeaderName).toBeUndefined();
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
