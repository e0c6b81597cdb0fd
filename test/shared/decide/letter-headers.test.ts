import { describe, expect, test } from 'vitest';
import {
  connectHeaders,
  countOf,
  type DeadLetterFacts,
  originHeaders,
  parkedHeaders,
  readOrigin,
  readParked,
  springHeaders,
  textHeader,
} from '../../../shared/decide/letter-headers.ts';
import type { RecordHeader } from '../../../shared/record/record-headers.ts';

const ORIGIN = { topic: 'orders', partition: 3, offset: 1_042, timestamp: 1_795_251_600_000 };
const DEATH: DeadLetterFacts = {
  origin: ORIGIN,
  timestampType: 'CREATE_TIME',
  group: 'billing',
  name: 'PaymentRefused',
  stage: 'handler',
  message: 'no money',
  stack: 'PaymentRefused: no money\n    at charge (charge.ts:7)',
};

/** The headers of an origin with one of them changed, or without it. */
function changed(name: string, text?: string): RecordHeader[] {
  return originHeaders(ORIGIN).flatMap((header) => {
    if (header.name !== name) return [header];
    return text === undefined ? [] : [textHeader(name, text)];
  });
}

describe('the origin of a record', () => {
  test('has four texts', () => {
    expect(originHeaders(ORIGIN).map(({ name, value }) => [name, value.toString()])).toEqual([
      ['x-original-topic', 'orders'],
      ['x-original-partition', '3'],
      ['x-original-offset', '1042'],
      ['x-original-timestamp', '1795251600000'],
    ]);
  });

  test.each([
    ORIGIN,
    { ...ORIGIN, partition: 0, offset: 0, timestamp: 0 },
    { ...ORIGIN, timestamp: -1 },
    { ...ORIGIN, partition: 2_147_483_647, offset: Number.MAX_SAFE_INTEGER },
  ])('is read back: %j', (origin) => {
    expect(readOrigin(originHeaders(origin))).toEqual(origin);
  });

  test.each(['9223372036854775807', '-9223372036854775808'])('may be at the end of time: %s', (time) => {
    expect(readOrigin(changed('x-original-timestamp', time))?.timestamp).toBe(Number(time));
  });

  test('is what the last headers say', () => {
    expect(
      readOrigin([...originHeaders({ ...ORIGIN, topic: 'upstream', offset: 1 }), ...originHeaders(ORIGIN)]),
    ).toEqual(ORIGIN);
  });

  test.each(['x-original-topic', 'x-original-partition', 'x-original-offset', 'x-original-timestamp'])(
    'is not known without %s, nor where it is empty',
    (name) => {
      expect(readOrigin(changed(name))).toBeUndefined();
      expect(readOrigin(changed(name, ''))).toBeUndefined();
    },
  );

  test.each(['x', '1x', 'x1', '1.5', '1e3', ' 1'])('is not known where a number is %j', (text) => {
    expect(readOrigin(changed('x-original-offset', text))).toBeUndefined();
  });
});

test.each([
  ['x-original-partition', '-1'],
  ['x-original-partition', '2147483648'],
  ['x-original-offset', '-1'],
  ['x-original-offset', '9007199254740993'],
  ['x-original-timestamp', '99999999999999999999'],
  ['x-original-timestamp', '-99999999999999999999'],
])('an origin that Kafka cannot have is not known: %s of %s', (name, text) => {
  expect(readOrigin(changed(name, text))).toBeUndefined();
});

describe("in Spring's words", () => {
  const springHeader = (death: Partial<DeadLetterFacts>, name: string) =>
    springHeaders({ ...DEATH, ...death }).find((header) => header.name === name)?.value;

  test('texts are texts and numbers are big-endian', () => {
    expect(springHeaders(DEATH)).toEqual([
      textHeader('kafka_dlt-original-topic', 'orders'),
      { name: 'kafka_dlt-original-partition', value: Buffer.from('00000003', 'hex') },
      { name: 'kafka_dlt-original-offset', value: Buffer.from('0000000000000412', 'hex') },
      { name: 'kafka_dlt-original-timestamp', value: Buffer.from('000001a1fd557a80', 'hex') },
      textHeader('kafka_dlt-original-timestamp-type', 'CreateTime'),
      textHeader('kafka_dlt-original-consumer-group', 'billing'),
      textHeader('kafka_dlt-exception-fqcn', 'PaymentRefused'),
      textHeader('kafka_dlt-exception-message', 'no money'),
      textHeader('kafka_dlt-exception-stacktrace', 'PaymentRefused: no money\n    at charge (charge.ts:7)'),
    ]);
  });

  test.each([
    ['CREATE_TIME', 'CreateTime'],
    ['LOG_APPEND_TIME', 'LogAppendTime'],
    [undefined, 'CreateTime'],
  ])('a time of type %s is of type %s', (timestampType, type) => {
    expect(springHeader({ timestampType }, 'kafka_dlt-original-timestamp-type')?.toString()).toBe(type);
  });

  test.each([
    [2 ** 63, '7fffffffffffffff'],
    [-(2 ** 63), '8000000000000000'],
    [-(2 ** 64), '8000000000000000'],
  ])('the first and the last 64-bit timestamp fit, though events round them: %d is %s', (timestamp, bytes) => {
    expect(springHeader({ origin: { ...ORIGIN, timestamp } }, 'kafka_dlt-original-timestamp')).toEqual(
      Buffer.from(bytes, 'hex'),
    );
  });

  test('a fraction of a millisecond is left out', () => {
    expect(springHeader({ origin: { ...ORIGIN, timestamp: 1.5 } }, 'kafka_dlt-original-timestamp')).toEqual(
      Buffer.from('0000000000000001', 'hex'),
    );
  });
});

describe("in Kafka Connect's words", () => {
  test('all is text', () => {
    expect(connectHeaders(DEATH).map(({ name, value }) => [name, value.toString()])).toEqual([
      ['__connect.errors.topic', 'orders'],
      ['__connect.errors.partition', '3'],
      ['__connect.errors.offset', '1042'],
      ['__connect.errors.connector.name', 'billing'],
      ['__connect.errors.task.id', '3'],
      ['__connect.errors.stage', 'TASK_PUT'],
      ['__connect.errors.class.name', 'lockstep'],
      ['__connect.errors.exception.class.name', 'PaymentRefused'],
      ['__connect.errors.exception.message', 'no money'],
      ['__connect.errors.exception.stacktrace', 'PaymentRefused: no money\n    at charge (charge.ts:7)'],
    ]);
  });

  test.each([
    ['decode', 'VALUE_CONVERTER'],
    ['validate', 'VALUE_CONVERTER'],
    ['idempotency', 'TASK_PUT'],
    ['interrupted', 'TASK_PUT'],
    ['unattempted', 'TASK_PUT'],
  ] as const)('the stage %s is %s', (stage, theirs) => {
    expect(connectHeaders({ ...DEATH, stage })).toContainEqual(textHeader('__connect.errors.stage', theirs));
  });
});

describe('the place of a parked record', () => {
  const place = { sequence: 's1', ordinal: 3 };

  test('is two texts, and is read back', () => {
    expect(parkedHeaders(place).map(({ name, value }) => [name, value.toString()])).toEqual([
      ['x-parked-sequence', 's1'],
      ['x-parked-ordinal', '3'],
    ]);
    expect(readParked(parkedHeaders(place))).toEqual(place);
    expect(readParked(parkedHeaders({ sequence: 's1', ordinal: 1 }))).toEqual({ sequence: 's1', ordinal: 1 });
  });

  test.each([
    ['no sequence', parkedHeaders({ sequence: '', ordinal: 3 })],
    ['ordinal 0', parkedHeaders({ sequence: 's1', ordinal: 0 })],
    ['no ordinal', parkedHeaders(place).slice(0, 1)],
    ['only an ordinal', parkedHeaders(place).slice(1)],
    ['none of both', []],
  ])('is none with %s', (_, headers) => {
    expect(readParked(headers)).toBeUndefined();
  });
});

test.each([
  ['7', 7],
  ['123456789', 123_456_789],
  ['1234567890', 0],
  ['7x', 0],
  ['x7', 0],
  ['', 0],
])('a count of %j is %i', (text, count) => {
  expect(countOf([textHeader('x-retry-count', text)], 'x-retry-count')).toBe(count);
});
