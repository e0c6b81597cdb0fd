import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clusterUuid,
  ledgerKey,
  parkedKeyOf,
  parkedKeysKey,
  parseLedgerKey,
  parsePartitionName,
  parsePositionName,
  partitionName,
  positionName,
  STACK_SECRET_KEY,
} from '../../../shared/record/item-identifier.ts';

/** https://kafka.apache.org/documentation/#newtopicconfigs: letters, digits, dot, underscore, dash. */
const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,40}$/);
const partition = fc.nat();
const offset = fc.maxSafeNat();

test('names a partition as Kafka and Lambda do', () => {
  expect(partitionName({ topic: 'orders', partition: 3 })).toBe('orders-3');
});

test('the last dash separates, since topic names may hold dashes', () => {
  expect(parsePartitionName('orders-eu-1-3')).toEqual({ topic: 'orders-eu-1', partition: 3 });
});

test('reads back every partition and position that it names', () => {
  fc.assert(
    fc.property(topic, partition, offset, (topic, partition, offset) => {
      expect(parsePartitionName(partitionName({ topic, partition }))).toEqual({ topic, partition });
      expect(parsePositionName(positionName({ topic, partition, offset }))).toEqual({ topic, partition, offset });
    }),
  );
});

test('names a record by its position', () => {
  expect(positionName({ topic: 'orders', partition: 3, offset: 1_042 })).toBe('orders-3@1042');
});

test.each(['', 'orders', 'orders-', '-3', 'orders-x', 'orders-3 ', 'orders-3.5', 'orders--'])(
  '%j is no partition',
  (name) => {
    expect(parsePartitionName(name)).toBeUndefined();
  },
);

test.each(['', 'orders-3', 'orders-3@', 'orders-3@x', '@1042', 'orders@1042', 'orders-3@-1', 'orders-3@7x'])(
  '%j is no position',
  (name) => {
    expect(parsePositionName(name)).toBeUndefined();
  },
);

describe('the ledger key', () => {
  test('names cluster, group, topic and partition', () => {
    const key = ledgerKey({ cluster: 'c0ffee-3', group: 'billing', topic: 'orders', partition: 3 });

    expect(key).toBe('partition#c0ffee-3#billing#orders#3');
    expect(parseLedgerKey(key)).toEqual({ cluster: 'c0ffee-3', group: 'billing', topic: 'orders', partition: 3 });
    expect(parseLedgerKey('partition#c#g#t#12')).toEqual({ cluster: 'c', group: 'g', topic: 't', partition: 12 });
  });

  test.each([
    '',
    'key#billing#9f86',
    'partition#c#g#t',
    'key#c#g#t#3',
    'partition#c#g#t#x',
    'partition#c#g#t#x3',
    'partition#c#g#t#3x',
    'partition#c#g#t#3#4',
    'partition##g#t#3',
    'partition#c#g#t#3#',
    'parked#c#g#t#3',
    'parked#c#g#t#3#',
    'parked#c#g#t#3#k#k',
    'key#c#g#t#3#k',
  ])('%j is not one', (key) => {
    expect(parseLedgerKey(key)).toBeUndefined();
  });
});

describe('the ledger keys of parked keys', () => {
  const place = { cluster: 'c0ffee-3', group: 'billing', topic: 'orders', partition: 3 };

  test('name the partition, and each its own key by a hash of it', () => {
    const parkedKey = parkedKeyOf(Buffer.from('customer-7'));

    expect(parkedKey).toBe('rK3l_ljQtagFoCuLOlRtjt0XDreLjseyy_4Lnr7y5uE');
    expect(parkedKeysKey(place)).toBe('parked#c0ffee-3#billing#orders#3');
    expect(ledgerKey({ ...place, parkedKey })).toBe(
      'parked#c0ffee-3#billing#orders#3#rK3l_ljQtagFoCuLOlRtjt0XDreLjseyy_4Lnr7y5uE',
    );
    expect(parseLedgerKey(ledgerKey({ ...place, parkedKey }))).toEqual({ ...place, parkedKey });
  });
});

test('the secret of a stack lies where every version has looked for it', () => {
  expect(STACK_SECRET_KEY).toBe('secret#signing');
});

describe('the uuid of a cluster', () => {
  test.each([
    [
      'arn:aws:kafka:eu-central-1:123456789012:cluster/prod/c0ffee00-1111-2222-3333-444455556666-3',
      'c0ffee00-1111-2222-3333-444455556666-3',
    ],
    [
      'arn:aws-cn:kafka:cn-north-1:123456789012:cluster/prod/c0ffee00-1111-2222-3333-444455556666-3',
      'c0ffee00-1111-2222-3333-444455556666-3',
    ],
    [
      'arn:aws:kafka:eu-central-1:123456789012:vpc-connection/210987654321/prod/c0ffee00-1111-2222-3333-444455556666-3',
      'c0ffee00-1111-2222-3333-444455556666-3',
    ],
    ['broker1.example:9092', 'broker1.example:9092'],
    ['arn:aws:kafka:eu-central-1:1:cluster/prod/c0ffee/', 'arn:aws:kafka:eu-central-1:1:cluster/prod/c0ffee/'],
    ['see arn:aws:kafka:eu-central-1:1:cluster/prod/c0ffee', 'see arn:aws:kafka:eu-central-1:1:cluster/prod/c0ffee'],
    ['', ''],
  ])('of %j is %j', (arn, uuid) => {
    expect(clusterUuid(arn)).toBe(uuid);
  });
});
