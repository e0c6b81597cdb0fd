import { describe, expect, test } from 'vitest';
import type { Letter } from '../../../shared/decide/letter.ts';
import { originHeaders, textHeader } from '../../../shared/decide/letter-headers.ts';
import {
  DEFAULT_MAX_REDRIVES,
  type LetterFilter,
  matches,
  redrivenRecord,
  refusalOf,
} from '../../../shared/decide/redrive.ts';
import type { RecordHeader } from '../../../shared/record/record-headers.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';

const TARGET = { topic: 'orders', partitions: new Set([0, 3]), group: 'billing' };
const ORIGIN = { topic: 'orders', partition: 3, offset: 1_042, timestamp: 500 };

function aLetter(changes: Partial<Letter> = {}): Letter {
  return {
    partition: 1,
    offset: 7,
    key: Buffer.from('customer-7'),
    value: Buffer.from('{}'),
    headers: [],
    timestamp: 500,
    id: 'c/billing/orders-3@1042/500',
    origin: ORIGIN,
    group: 'billing',
    errorName: 'PaymentRefused',
    errorMessage: 'no money',
    fingerprint: '0123456789ab',
    stage: 'handler',
    disposition: 'systemic',
    attempts: 5,
    interruptions: 0,
    deadLetteredAt: 9_000,
    redriveCount: 0,
    isDoubtful: false,
    isExpired: false,
    ...changes,
  };
}

describe('a letter is meant', () => {
  test.each<LetterFilter>([
    {},
    { fingerprint: '0123' },
    { since: 9_000 },
    { until: 9_001 },
    { key: 'customer-7' },
    { partition: 3 },
    { fromOffset: 1_042 },
    { toOffset: 1_042 },
    { errorName: 'PaymentRefused' },
    { id: 'c/billing/orders-3@1042/500' },
    { fingerprint: '0123456789ab', since: 1, until: 10_000, partition: 3, fromOffset: 1, toOffset: 2_000 },
  ])('by %j', (filter) => {
    expect(matches(aLetter(), filter)).toBe(true);
  });

  test.each<LetterFilter>([
    { fingerprint: '123' },
    { since: 9_001 },
    { until: 9_000 },
    { key: 'customer-8' },
    { partition: 1 },
    { fromOffset: 1_043 },
    { toOffset: 1_041 },
    { errorName: 'Payment' },
    { id: 'c/billing/orders-3@1042/501' },
    { fingerprint: '0123456789ab', since: 1, until: 10_000, partition: 3, fromOffset: 1, toOffset: 1_000 },
  ])('not by %j', (filter) => {
    expect(matches(aLetter(), filter)).toBe(false);
  });

  test('by no key, not even an empty one, where it has none', () => {
    expect(matches(aLetter({ key: null }), {})).toBe(true);
    expect(matches(aLetter({ key: null }), { key: '' })).toBe(false);
  });
});

describe('what keeps a letter where it is', () => {
  const limits = { maxRedrives: DEFAULT_MAX_REDRIVES, includeDoubtful: false };

  test.each<[string, Partial<Letter>, string | undefined]>([
    ['nothing', {}, undefined],
    ['nothing, redriven twice', { redriveCount: 2 }, undefined],
    ['three redrives', { redriveCount: 3 }, 'maxRedrives'],
    ['the doubt whether it was handled', { isDoubtful: true }, 'doubtful'],
    ['a topic that is not the consumer’s', { origin: { ...ORIGIN, topic: 'payments' } }, 'elsewhere'],
    ['a partition that the topic has not', { origin: { ...ORIGIN, partition: 4 } }, 'elsewhere'],
    ['that Kafka holds its records no more', { isExpired: true, isDoubtful: true, redriveCount: 3 }, 'expired'],
  ])('%s', (_, changes, refusal) => {
    expect(refusalOf(aLetter(changes), limits, TARGET)).toBe(refusal);
  });

  test('is not the doubt where the operator takes it', () => {
    expect(refusalOf(aLetter({ isDoubtful: true }), { ...limits, includeDoubtful: true }, TARGET)).toBeUndefined();
  });
});

describe('a record on its way back', () => {
  /** Without the signature behind them. */
  const texts = (headers: readonly RecordHeader[]) =>
    headers.slice(0, -1).map(({ name, value }) => [name, value.toString()]);
  const BEHIND = [
    ['x-original-topic', 'orders'],
    ['x-original-partition', '3'],
    ['x-original-offset', '1042'],
    ['x-original-timestamp', '500'],
    ['x-lockstep-for', 'billing'],
    ['x-dead-letter-id', 'c/billing/orders-3@1042/500'],
  ];

  test('goes to the partition that it came from, with its own key, value and time, whenever its letter came', () => {
    expect(redrivenRecord(aLetter({ timestamp: 501 }), TARGET, FAKE_SECRET)).toMatchObject({
      topic: 'orders',
      partition: 3,
      key: Buffer.from('customer-7'),
      value: Buffer.from('{}'),
      timestamp: 500,
    });
  });

  test('has the headers that it had before its letter, and says where it was and how often it was redriven', () => {
    const headers = [
      textHeader('traceparent', '00-1'),
      ...originHeaders(ORIGIN),
      textHeader('x-redrive-count', '1'),
      textHeader('x-error-name', 'PaymentRefused'),
      textHeader('kafka_dlt-exception-message', 'no money'),
    ];

    expect(texts(redrivenRecord(aLetter({ headers, redriveCount: 1 }), TARGET, FAKE_SECRET).headers)).toEqual([
      ['traceparent', '00-1'],
      ...BEHIND,
      ['x-redrive-count', '2'],
    ]);
  });

  test('has what others had written under our names as it was, and ours behind it', () => {
    const headers = [
      textHeader('x-foreign-x-original-topic', 'upstream'),
      textHeader('x-foreign-x-redrive-count', '99'),
      textHeader('x-foreign-x-foreign-x-stage', 'twice'),
      ...originHeaders(ORIGIN),
      textHeader('x-error-name', 'PaymentRefused'),
    ];

    expect(texts(redrivenRecord(aLetter({ headers }), TARGET, FAKE_SECRET).headers)).toEqual([
      ['x-original-topic', 'upstream'],
      ['x-redrive-count', '99'],
      ['x-foreign-x-stage', 'twice'],
      ...BEHIND,
      ['x-redrive-count', '1'],
    ]);
  });

  test('has headers under names of ours as its letter has them, where they were too many for other names', () => {
    const headers = [
      textHeader('x-foreign-x-stage', 'upstream'),
      ...originHeaders(ORIGIN),
      textHeader('x-foreign-headers', 'kept'),
    ];

    expect(texts(redrivenRecord(aLetter({ headers }), TARGET, FAKE_SECRET).headers)).toEqual([
      ['x-foreign-x-stage', 'upstream'],
      ...BEHIND,
      ['x-redrive-count', '1'],
    ]);
  });

  test('had no headers where its letter begins at once', () => {
    expect(texts(redrivenRecord(aLetter({ headers: originHeaders(ORIGIN) }), TARGET, FAKE_SECRET).headers)).toEqual([
      ...BEHIND,
      ['x-redrive-count', '1'],
    ]);
  });

  test('keeps all headers of a letter that says no topic', () => {
    const headers = [textHeader('a', '1'), textHeader('b', '2')];

    expect(texts(redrivenRecord(aLetter({ headers }), TARGET, FAKE_SECRET).headers)).toEqual([
      ['a', '1'],
      ['b', '2'],
      ...BEHIND,
      ['x-redrive-count', '1'],
    ]);
  });
});
