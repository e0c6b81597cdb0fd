import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DeadRecord, type DeathNotice, deadLetter, expiredLetter } from '../../../shared/decide/dead-letter.ts';
import { ownHeadersOf, parseLetter } from '../../../shared/decide/letter.ts';
import type { BlockedRecord } from '../../../shared/decide/progress.ts';
import { recordBytes } from '../../../shared/decide/record-size.ts';
import { redrivenRecord } from '../../../shared/decide/redrive.ts';
import { readReturned } from '../../../shared/decide/returned-record.ts';
import type { RecordHeader } from '../../../shared/record/record-headers.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';

const RECORD: DeadRecord = {
  topic: 'orders',
  partition: 3,
  offset: 1_042,
  timestamp: 1_795_251_600_000,
  key: Buffer.from('customer-7'),
  value: Buffer.from('{"orderId":"a"}'),
  headers: [header('traceparent', '00-ab-cd-01')],
};

const BLOCKED: BlockedRecord = {
  offset: 1_042,
  timestamp: 1_795_251_600_000,
  valueHash: 'h',
  attempts: 5,
  interruptions: 1,
  exhausted: true,
  firstFailedAt: 1_795_251_660_000,
  fingerprint: '0123456789ab',
  error: { name: 'PaymentRefused', text: 'no money', stage: 'handler' },
};

const NOTICE: DeathNotice = {
  cluster: 'c0ffee00-1111-2222-3333-444455556666-3',
  group: 'billing',
  blocked: BLOCKED,
  stack: 'PaymentRefused: no money\n    at charge (charge.ts:7)',
  maxAttempts: 5,
  now: 1_795_251_720_000,
  requestId: 'request-1',
  names: [],
  maxBytes: 1_048_588 + 65_536,
  secret: FAKE_SECRET,
};

const NAMES = [
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-original-last-offset',
  'x-consumer-group',
  'x-dead-letter-id',
  'x-redrive-count',
  'x-doubtful',
  'x-lockstep-for',
  'x-lockstep-marker',
  'x-lockstep-signature',
  'x-foreign-x-original-topic',
  'x-foreign-headers',
  'x-error-name',
  'kafka_dlt-original-topic',
  '__proto__',
  'constructor',
];

function header(name: string, value: string): RecordHeader {
  return { name, value: Buffer.from(value) };
}

function textsOf(headers: Iterable<RecordHeader>): [string, string][] {
  return [...headers].map(({ name, value }) => [name, value.toString()]);
}

describe('a dead letter', () => {
  test('is the record with its story behind it', () => {
    const letter = deadLetter(RECORD, NOTICE);

    expect(letter).toMatchObject({
      id: 'c0ffee00-1111-2222-3333-444455556666-3/billing/orders-3@1042/1795251600000',
      origin: { topic: 'orders', partition: 3, offset: 1_042 },
      key: Buffer.from('customer-7'),
      value: Buffer.from('{"orderId":"a"}'),
      timestamp: 1_795_251_600_000,
    });
    expect(textsOf(letter.headers)).toEqual([
      ['traceparent', '00-ab-cd-01'],
      ['x-original-topic', 'orders'],
      ['x-original-partition', '3'],
      ['x-original-offset', '1042'],
      ['x-original-timestamp', '1795251600000'],
      ['x-consumer-group', 'billing'],
      ['x-retry-count', '5'],
      ['x-interruption-count', '1'],
      ['x-error-name', 'PaymentRefused'],
      ['x-error-message', 'no money'],
      ['x-error-stack', 'PaymentRefused: no money\n    at charge (charge.ts:7)'],
      ['x-error-fingerprint', '0123456789ab'],
      ['x-stage', 'handler'],
      ['x-disposition', 'systemic'],
      ['x-first-failed-at', '2026-11-21T09:01:00.000Z'],
      ['x-dead-lettered-at', '2026-11-21T09:02:00.000Z'],
      ['x-request-id', 'request-1'],
      ['x-dead-letter-id', 'c0ffee00-1111-2222-3333-444455556666-3/billing/orders-3@1042/1795251600000'],
      ['x-lockstep-signature', expect.stringMatching(/^[\w-]{43}$/)],
    ]);
  });

  test('of a tombstone without a key has neither', () => {
    expect(deadLetter({ ...RECORD, key: null, value: null }, NOTICE)).toMatchObject({ key: null, value: null });
  });

  test('has the same id in every copy, and another for what a recreated topic has in its place', () => {
    const again = deadLetter(RECORD, { ...NOTICE, now: NOTICE.now + 60_000, requestId: 'request-2' });
    const recreated = deadLetter({ ...RECORD, timestamp: RECORD.timestamp + 1 }, NOTICE);

    expect(again.id).toBe(deadLetter(RECORD, NOTICE).id);
    expect(recreated.id).toBe('c0ffee00-1111-2222-3333-444455556666-3/billing/orders-3@1042/1795251600001');
  });

  test.each<[string, Partial<BlockedRecord>, string, string]>([
    ['that used up its tries', {}, 'handler', 'systemic'],
    ['that its handler refused', { attempts: 1 }, 'handler', 'rejected'],
    ['whose key was used before', { attempts: 1, error: error('idempotency') }, 'idempotency', 'rejected'],
    ['that is not JSON', { attempts: 1, error: error('decode') }, 'decode', 'poison'],
    ['that does not fit its schema', { attempts: 1, error: error('validate') }, 'validate', 'poison'],
    ['that kills the process', { attempts: 0, error: error('interrupted') }, 'interrupted', 'poison'],
  ])('of a record %s says so', (_, change, stage, disposition) => {
    const { headers } = deadLetter(RECORD, { ...NOTICE, blocked: { ...BLOCKED, ...change } });

    expect(textsOf(headers)).toContainEqual(['x-stage', stage]);
    expect(textsOf(headers)).toContainEqual(['x-disposition', disposition]);
  });

  test('of a record that was never tried says so', () => {
    const { error: _, firstFailedAt: __, fingerprint: ___, ...blocked } = { ...BLOCKED, attempts: 0, interruptions: 0 };

    const headers = textsOf(deadLetter(RECORD, { ...NOTICE, blocked, stack: '' }).headers);

    expect(headers.slice(6, 15)).toEqual([
      ['x-retry-count', '0'],
      ['x-interruption-count', '0'],
      ['x-error-name', 'Error'],
      ['x-error-message', ''],
      ['x-error-stack', ''],
      ['x-error-fingerprint', ''],
      ['x-stage', 'unattempted'],
      ['x-disposition', 'systemic'],
      ['x-first-failed-at', '2026-11-21T09:02:00.000Z'],
    ]);
  });

  test('of a record that ended its process and never failed otherwise says so', () => {
    const { error: _, ...blocked } = BLOCKED;

    const headers = textsOf(deadLetter(RECORD, { ...NOTICE, blocked, stack: '' }).headers);

    expect(headers).toContainEqual(['x-stage', 'interrupted']);
    expect(headers).toContainEqual(['x-disposition', 'poison']);
  });

  test('of a record of a parked key names its place; one that was never tried says what it waits behind', () => {
    const parked = { sequence: 's1', ordinal: 2 };
    const { error: _, fingerprint: __, ...untried } = { ...BLOCKED, attempts: 0, interruptions: 0, parked };
    const said = Object.fromEntries(textsOf(deadLetter(RECORD, { ...NOTICE, blocked: untried }).headers));
    expect(said).toMatchObject({
      'x-error-name': 'RECORD_PARKED',
      'x-stage': 'parked',
      'x-disposition': 'systemic',
      'x-parked-sequence': 's1',
      'x-parked-ordinal': '2',
    });
    expect(Object.fromEntries(textsOf(deadLetter(RECORD, NOTICE).headers))).not.toHaveProperty('x-parked-sequence');
  });

  test('of a record that Kafka holds no more has neither key nor value, and says what is known', () => {
    const letter = expiredLetter(RECORD, BLOCKED, NOTICE);
    expect(letter).toMatchObject({ key: null, value: null, timestamp: 1_795_251_600_000 });
    expect(Object.fromEntries(textsOf(letter.headers))).toMatchObject({
      'x-original-topic': 'orders',
      'x-original-partition': '3',
      'x-original-offset': '1042',
      'x-error-name': 'RECORD_EXPIRED',
      'x-error-message': expect.stringContaining(
        'orders-3@1042 is gone from Kafka: its record vanished before its letter was sent',
      ),
      'x-stage': 'unattempted',
      'x-retry-count': '5',
    });
    expect(Object.fromEntries(textsOf(letter.headers))).not.toHaveProperty('traceparent');
    expect(Object.fromEntries(textsOf(letter.headers))['x-error-fingerprint']).not.toBe(BLOCKED.fingerprint);
    expect(
      Object.fromEntries(textsOf(expiredLetter(RECORD, BLOCKED, NOTICE, 'as you said').headers))['x-error-message'],
    ).toContain('as you said');
  });

  test('speaks as Spring and Connect do when asked to', () => {
    const { headers } = deadLetter(
      { ...RECORD, timestampType: 'LOG_APPEND_TIME' },
      { ...NOTICE, names: ['spring', 'connect'] },
    );
    const value = (name: string) => headers.find((candidate) => candidate.name === name)?.value;

    expect(value('kafka_dlt-original-topic')?.toString()).toBe('orders');
    expect(value('kafka_dlt-original-partition')).toEqual(Buffer.from([0, 0, 0, 3]));
    expect(value('kafka_dlt-original-offset')).toEqual(Buffer.from([0, 0, 0, 0, 0, 0, 4, 0x12]));
    expect(value('kafka_dlt-original-timestamp')).toEqual(Buffer.from('000001a1fd557a80', 'hex'));
    expect(value('kafka_dlt-original-timestamp-type')?.toString()).toBe('LogAppendTime');
    expect(value('kafka_dlt-original-consumer-group')?.toString()).toBe('billing');
    expect(value('kafka_dlt-exception-fqcn')?.toString()).toBe('PaymentRefused');
    expect(value('kafka_dlt-exception-message')?.toString()).toBe('no money');
    expect(textsOf(headers).filter(([name]) => name.startsWith('__connect.errors.'))).toEqual([
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
});

describe('a record that has had a letter before', () => {
  const names = ['spring', 'connect'] as const;
  const first = deadLetter(RECORD, { ...NOTICE, names });
  const letter = parseLetter({ ...first, partition: 0, offset: 7 });
  if (letter === undefined) throw new Error('no letter');
  const back = redrivenRecord(letter, { topic: 'orders', partitions: new Set([3]), group: 'billing' }, FAKE_SECRET);
  const redriven: DeadRecord = { ...back, offset: 2_000 };
  const second = deadLetter(redriven, {
    ...NOTICE,
    names,
    returned: readReturned(FAKE_SECRET, back),
    blocked: { ...BLOCKED, attempts: 2, error: { name: 'StillRefused', text: 'still no money', stage: 'handler' } },
    requestId: 'request-9',
  });

  test('keeps its first origin in each vocabulary', () => {
    expect(textsOf(second.headers)).toContainEqual(['x-original-offset', '1042']);
    expect(textsOf(second.headers)).toContainEqual(['__connect.errors.offset', '1042']);
    expect(second.headers.find(({ name }) => name === 'kafka_dlt-original-offset')?.value.readBigInt64BE()).toBe(
      1_042n,
    );
  });

  test('tells its last death only, once, and keeps what is not ours', () => {
    const count = (name: string) => second.headers.filter((candidate) => candidate.name === name).length;

    expect(textsOf(second.headers)).toContainEqual(['x-error-name', 'StillRefused']);
    expect(textsOf(second.headers)).toContainEqual(['x-retry-count', '2']);
    expect(textsOf(second.headers)).toContainEqual(['x-redrive-count', '1']);
    expect(textsOf(second.headers)[0]).toEqual(['traceparent', '00-ab-cd-01']);
    expect(Math.max(...second.headers.map(({ name }) => count(name)))).toBe(1);
    expect(second.headers).toHaveLength(first.headers.length + 1);
  });

  test('has the id of where it died last', () => {
    expect(second.id).toBe('c0ffee00-1111-2222-3333-444455556666-3/billing/orders-3@2000/1795251600000');
    expect(second.origin).toEqual({ topic: 'orders', partition: 3, offset: 2_000 });
  });
});

describe("headers of others on the record's way to a letter", () => {
  test('stay, in order and with duplicates; those that bear our names or Spring’s get another one', () => {
    const others = [
      header('7', 'a'),
      header('x-original-topic', 'upstream'),
      header('b', '1'),
      header('kafka_dlt-original-topic', 'upstream'),
      header('b', '2'),
      header('x-foreign-x-stage', 'twice'),
      header('7', 'c'),
    ];

    const letter = deadLetter({ ...RECORD, headers: others }, NOTICE);

    expect(textsOf(letter.headers).slice(0, 7)).toEqual([
      ['7', 'a'],
      ['x-foreign-x-original-topic', 'upstream'],
      ['b', '1'],
      ['x-foreign-kafka_dlt-original-topic', 'upstream'],
      ['b', '2'],
      ['x-foreign-x-foreign-x-stage', 'twice'],
      ['7', 'c'],
    ]);
    expect(ownHeadersOf({ ...letter, partition: 0, offset: 1 })).toEqual(others);
  });

  test('decide nothing, whatever they say', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.string())), (said) => {
        const headers = said.map(([name, value]) => header(name, value));
        const letter = deadLetter({ ...RECORD, headers }, NOTICE);
        const record = { ...letter, partition: 0, offset: 1 };
        expect(parseLetter(record)).toMatchObject({
          id: letter.id,
          origin: { topic: 'orders', partition: 3, offset: 1_042, timestamp: 1_795_251_600_000 },
          group: 'billing',
          redriveCount: 0,
          isDoubtful: false,
        });
        expect(ownHeadersOf(record)).toEqual(headers);
      }),
    );
  });

  test('keep their names where they are too many, and decide nothing all the same', () => {
    const others = Array.from({ length: 50_000 }, () => header('x-redrive-count', '-9'));

    const letter = deadLetter({ ...RECORD, headers: others }, NOTICE);
    const record = { ...letter, partition: 0, offset: 1 };

    expect(recordBytes(letter) - recordBytes({ ...RECORD, headers: others })).toBeLessThan(65_536);
    expect(textsOf(letter.headers)).toContainEqual(['x-foreign-headers', 'kept']);
    expect(parseLetter(record)).toMatchObject({ redriveCount: 0, origin: { offset: 1_042 } });
    expect(ownHeadersOf(record)).toEqual(others);
  });
});

describe('the size of a letter', () => {
  const long = 'é'.repeat(100_000);

  test('grows by 64 KiB at most, however long message and stack are, in all three vocabularies', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 0, max: 200_000 }),
        fc.subarray(['spring', 'connect'] as const),
        (text, stack, names) => {
          const letter = deadLetter(RECORD, {
            ...NOTICE,
            names,
            blocked: { ...BLOCKED, error: { name: 'E', text: long.slice(0, text), stage: 'handler' } },
            stack: long.slice(0, stack),
          });
          expect(recordBytes(letter) - recordBytes({ ...RECORD, headers: [...RECORD.headers] })).toBeLessThanOrEqual(
            65_536,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test('grows by 64 KiB at most, new names for headers of others included', () => {
    const headers = Array.from({ length: 700 }, () => header('x-stage', ''));
    const letter = deadLetter(
      { ...RECORD, headers },
      {
        ...NOTICE,
        names: ['spring', 'connect'],
        more: [header('x-original-last-offset', '9'.repeat(10_000))],
        blocked: { ...BLOCKED, error: { name: 'E', text: long, stage: 'handler' } },
        stack: long,
      },
    );
    const growth = recordBytes(letter) - recordBytes({ ...RECORD, headers });

    expect(textsOf(letter.headers)[0]).toEqual(['x-foreign-x-stage', '']);
    expect(growth).toBeLessThanOrEqual(65_536);
    expect(growth).toBeGreaterThan(65_500);
  });

  test('stays below what the dead-letter topic takes: stack and message are cut, nothing else', () => {
    const value = Buffer.alloc(1_000_000);
    const letter = deadLetter(
      { ...RECORD, value },
      {
        ...NOTICE,
        names: ['spring'],
        stack: long,
        blocked: { ...BLOCKED, error: { ...error('handler'), text: long } },
        maxBytes: 1_002_500,
      },
    );

    expect(recordBytes(letter)).toBeLessThanOrEqual(1_002_500);
    expect(letter.value).toBe(value);
    expect(textsOf(letter.headers)).toContainEqual(['x-dead-letter-id', letter.id]);
    expect(textsOf(letter.headers).find(([name]) => name === 'x-error-message')?.[1]).toMatch(/^é{50,1024}$/);
  });

  test('takes what room there is, and no byte more, in all three vocabularies', () => {
    const long = 'x'.repeat(40_000);
    const notice: DeathNotice = {
      ...NOTICE,
      names: ['spring', 'connect'],
      stack: long,
      blocked: { ...BLOCKED, error: { ...error('handler'), text: long } },
    };

    fc.assert(
      fc.property(fc.integer({ min: 3_000, max: 50_000 }), (maxBytes) => {
        const bytes = recordBytes(deadLetter(RECORD, { ...notice, maxBytes }));

        expect(bytes).toBeLessThanOrEqual(maxBytes);
        // Lengths that take fewer bytes than reserved, and what three equal copies leave over.
        expect(bytes).toBeGreaterThan(maxBytes - 20);
      }),
    );
  });

  test('has all headers even where nothing is left for message and stack', () => {
    const { headers } = deadLetter({ ...RECORD, value: Buffer.alloc(1_000) }, { ...NOTICE, maxBytes: 1_024 });

    expect(textsOf(headers)).toContainEqual(['x-error-message', '']);
    expect(textsOf(headers)).toContainEqual(['x-error-stack', '']);
    expect(headers).toHaveLength(19);
  });
});

function error(stage: 'decode' | 'validate' | 'idempotency' | 'handler' | 'interrupted') {
  return { name: 'E', text: 'e', stage };
}
