import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../../shared/errors.ts';
import { parseKafkaEvent } from '../../../shared/record/kafka-event.ts';

const arn = 'arn:aws:kafka:eu-central-1:111122223333:cluster/shop/uuid-1';
const raw = (offset: number, changes: object = {}) => ({
  topic: 'orders-eu-1',
  partition: 3,
  offset,
  timestamp: 1_000 + offset,
  ...changes,
});
const event = (records: unknown, changes: object = {}) => ({
  eventSource: 'aws:kafka',
  eventSourceArn: arn,
  bootstrapServers: 'b-1:9098,b-2:9098',
  records,
  ...changes,
});

describe('an event of the mapping', () => {
  test('is grouped by partition, its identifiers as they came, dashes and all', () => {
    const parsed = parseKafkaEvent(event({ 'orders-eu-1-3': [raw(41), raw(44)] }));

    expect(parsed).toMatchObject({ cluster: 'uuid-1', eventSourceArn: arn });
    expect(parsed.partitions).toHaveLength(1);
    expect(parsed.partitions[0]).toMatchObject({ identifier: 'orders-eu-1-3', topic: 'orders-eu-1', partition: 3 });
    expect(parsed.partitions[0]?.records.map(({ offset }) => offset)).toEqual([41, 44]);
  });

  test('begins at partition 0 and offset 0', () => {
    expect(parseKafkaEvent(event({ p: [raw(0, { partition: 0 })] })).partitions).toMatchObject([
      { partition: 0, records: [{ offset: 0 }] },
    ]);
  });

  test('takes a partition that is a string of digits, as very old events have it', () => {
    expect(parseKafkaEvent(event({ p: [raw(1, { partition: '12' })] })).partitions[0]?.partition).toBe(12);
  });

  test('leaves out partitions without records', () => {
    expect(parseKafkaEvent(event({ a: [], b: [raw(1)] })).partitions.map(({ identifier }) => identifier)).toEqual([
      'b',
    ]);
  });

  test.each(['SelfManagedKafka', 'aws:SelfManagedKafka'])(
    'of a self-managed cluster (%s) is known by its servers',
    (eventSource) => {
      const { eventSourceArn: _, ...selfManaged } = event({}, { eventSource });

      expect(parseKafkaEvent(selfManaged).cluster).toBe('b-1:9098,b-2:9098');
    },
  );

  test('of a cluster whose ARN is empty is known by its servers', () => {
    expect(parseKafkaEvent(event({}, { eventSourceArn: '' })).cluster).toBe('b-1:9098,b-2:9098');
  });

  test('may have records without key, value or headers, and headers without bytes', () => {
    const bare = [
      raw(1, { key: null, value: null, headers: null }),
      raw(2, { key: '', value: '', headers: [] }),
      raw(3, { key: 'aw==', value: 'dmFsdWU=', headers: [{}, { a: null }, { b: [], c: [-61, -85] }] }),
    ];

    expect(parseKafkaEvent(event({ p: bare })).partitions[0]?.records.map(({ key }) => key)).toEqual([null, '', 'k']);
  });

  test('may have a value of which only the ends are looked at, since values may be large', () => {
    const value = `${'a'.repeat(16)}${'{"}}'.repeat(4)}${'a'.repeat(16)}`;

    expect(parseKafkaEvent(event({ p: [raw(1, { value })] })).partitions).toHaveLength(1);
  });

  test.each([2 ** 63, -(2 ** 63)])('may have a record at the first or last time that Kafka knows: %d', (timestamp) => {
    expect(parseKafkaEvent(event({ p: [raw(1, { timestamp })] })).partitions[0]?.records[0]?.timestamp).toBe(timestamp);
  });

  test('may come without servers', () => {
    expect(parseKafkaEvent(event({}, { bootstrapServers: undefined, eventSourceArn: '' })).cluster).toBe('');
  });
});

describe('is refused, with what was expected and where', () => {
  test.each<[unknown, string]>([
    [
      undefined,
      'EVENT_NOT_KAFKA: expected an event with `eventSource` `aws:kafka` or `SelfManagedKafka`, got undefined',
    ],
    ['text', 'got undefined'],
    [[], 'got undefined'],
    [event({}, { eventSource: 'aws:sqs' }), 'got `aws:sqs` (string)'],
    [event({}, { eventSource: null }), 'got null'],
    [event(undefined), 'EVENT_NOT_KAFKA: expected `event.records` to be an object of arrays, got undefined'],
    [event([]), 'expected `event.records` to be an object of arrays, got an array'],
    [event({ p: 7 }), 'EVENT_RECORD_MALFORMED: event.records.p: expected an array of records, got `7` (number)'],
    [event({ p: {} }), 'event.records.p: expected an array of records, got an object'],
    [event({ p: [null] }), 'event.records.p[0]: expected a record, got null'],
    [
      event({ p: [raw(1), raw(2, { topic: '' })] }),
      'event.records.p[1]: expected `topic` to be a string, got `` (string)',
    ],
    [event({ p: [raw(1, { topic: 5 })] }), 'event.records.p[0]: expected `topic` to be a string, got `5` (number)'],
    [
      event({ p: [raw(1, { partition: -1 })] }),
      'event.records.p[0]: expected `partition` to be an integer >= 0, got `-1` (number)',
    ],
    [event({ p: [raw(1, { partition: ' 3' })] }), 'expected `partition` to be an integer >= 0, got ` 3` (string)'],
    [event({ p: [raw(1, { partition: '3 ' })] }), 'expected `partition` to be an integer >= 0, got `3 ` (string)'],
    [event({ p: [raw(1, { partition: '3x' })] }), 'expected `partition` to be an integer >= 0, got `3x` (string)'],
    [event({ p: [raw(1, { partition: [3] })] }), 'expected `partition` to be an integer >= 0, got an array'],
    [event({ p: [raw(1, { partition: 'x3' })] }), 'expected `partition` to be an integer >= 0, got `x3` (string)'],
    [event({ p: [raw(1, { offset: undefined })] }), 'expected `offset` to be an integer >= 0, got undefined'],
    [event({ p: [raw(1, { offset: 1.5 })] }), 'expected `offset` to be an integer >= 0, got `1.5` (number)'],
    [event({ p: [raw(1, { offset: '1' })] }), 'expected `offset` to be an integer >= 0, got `1` (string)'],
    [event({ p: [raw(1, { timestamp: 'now' })] }), 'expected `timestamp` to be a 64-bit integer, got `now` (string)'],
    [event({ p: [raw(1, { timestamp: 1.5 })] }), 'expected `timestamp` to be a 64-bit integer, got `1.5` (number)'],
    [
      event({ p: [raw(1, { timestamp: 1e300 })] }),
      'expected `timestamp` to be a 64-bit integer, got `1e+300` (number)',
    ],
    [
      event({ p: [raw(1, { timestamp: Number.NaN })] }),
      'expected `timestamp` to be a 64-bit integer, got `NaN` (number)',
    ],
    [
      event({ p: [raw(1, { value: { id: 1 } })] }),
      'event.records.p[0]: expected `value` to be base64 text or null, got an object',
    ],
    [event({ p: [raw(1, { value: 7 })] }), 'expected `value` to be base64 text or null, got a number'],
    [event({ p: [raw(1, { value: '{"id":1}' })] }), 'expected `value` to be base64 text or null, got other text'],
    [event({ p: [raw(1, { value: 'hello' })] }), 'expected `value` to be base64 text or null, got other text'],
    [event({ p: [raw(1, { value: `${'a'.repeat(100)}{"}}` })] }), 'expected `value` to be base64 text or null'],
    [event({ p: [raw(1, { value: `{"}}${'a'.repeat(100)}` })] }), 'expected `value` to be base64 text or null'],
    [
      event({ p: [raw(1, { value: `${'a'.repeat(14)}==${'a'.repeat(16)}` })] }),
      'expected `value` to be base64 text or null, got other text',
    ],
    [event({ p: [raw(1, { value: 'a===' })] }), 'expected `value` to be base64 text or null, got other text'],
    [event({ p: [raw(1, { value: 'aa=a' })] }), 'expected `value` to be base64 text or null, got other text'],
    [event({ p: [raw(1, { key: ['a'] })] }), 'expected `key` to be base64 text or null, got an array'],
    [event({ p: [raw(1, { key: [] })] }), 'expected `key` to be base64 text or null, got an array'],
    [event({ p: [raw(1, { key: 'k 1 ' })] }), 'expected `key` to be base64 text or null, got other text'],
    [event({ p: [raw(1, { headers: {} })] }), 'expected `headers` to be a list of objects with lists of bytes'],
    [event({ p: [raw(1, { headers: 'a' })] }), 'expected `headers` to be a list of objects with lists of bytes'],
    [event({ p: [raw(1, { headers: [null] })] }), 'expected `headers` to be a list of objects with lists of bytes'],
    [event({ p: [raw(1, { headers: [{ a: 5 }] })] }), 'expected `headers` to be a list of objects with lists of bytes'],
    [
      event({ p: [raw(1, { headers: [{ a: 'b' }] })] }),
      'expected `headers` to be a list of objects with lists of bytes',
    ],
    [
      event({ p: [raw(1, { headers: [{ a: '' }] })] }),
      'expected `headers` to be a list of objects with lists of bytes',
    ],
    [
      event({ p: [raw(1, { headers: [{ a: ['b'] }] })] }),
      'expected `headers` to be a list of objects with lists of bytes',
    ],
    [event({ p: [raw(1, { headers: [[1]] })] }), 'expected `headers` to be a list of objects with lists of bytes'],
    [
      event({ p: [raw(1), raw(2, { partition: 4 })] }),
      'event.records.p: expected the records of one partition of one topic',
    ],
    [
      event({ p: [raw(1), raw(2, { topic: 'other' })] }),
      'event.records.p: expected the records of one partition of one topic',
    ],
    [event({ p: [raw(2), raw(1)] }), 'event.records.p: expected offsets in ascending order, got 1 after 2'],
    [event({ p: [raw(2), raw(2)] }), 'event.records.p: expected offsets in ascending order, got 2 after 2'],
  ])('%o', (given, says) => {
    expect(() => parseKafkaEvent(given)).toThrow(LockstepError);
    expect(() => parseKafkaEvent(given)).toThrow(says);
  });

  test('a long text is cut: it might be a value', () => {
    expect(() => parseKafkaEvent(event({}, { eventSource: 'x'.repeat(200) }))).toThrow(
      `got \`${'x'.repeat(80)}\` (string)`,
    );
  });
});
