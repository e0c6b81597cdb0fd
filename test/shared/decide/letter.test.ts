import { describe, expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { type LetterRecord, markerRecord, readLetterTopic } from '../../../shared/decide/letter.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const ORIGIN = {
  'x-original-topic': 'orders',
  'x-original-partition': '3',
  'x-original-offset': '1042',
  'x-original-timestamp': '1795251600000',
};

const LETTER = {
  ...ORIGIN,
  'x-consumer-group': 'billing',
  'x-retry-count': '5',
  'x-interruption-count': '1',
  'x-error-name': 'PaymentRefused',
  'x-error-message': 'no money',
  'x-error-fingerprint': '0123456789ab',
  'x-stage': 'handler',
  'x-disposition': 'systemic',
  'x-dead-lettered-at': '2026-11-21T09:02:00.000Z',
  'x-dead-letter-id': 'c/billing/orders-3@1042/1795251600000',
};

function lying(headers: Readonly<Record<string, string>>, changes: Partial<LetterRecord> = {}): LetterRecord {
  return {
    partition: 1,
    offset: 7,
    key: Buffer.from('customer-7'),
    value: Buffer.from('{}'),
    headers: Object.entries(headers).map(([name, value]) => ({ name, value: Buffer.from(value) })),
    timestamp: 1_795_251_600_000,
    ...changes,
  };
}

describe('a letter as it lies on its topic', () => {
  test('says where the record was, why it is here and how often it was tried', () => {
    const record = lying(LETTER);

    expect(readLetterTopic(record)).toEqual({
      type: 'letter',
      letter: {
        ...record,
        id: 'c/billing/orders-3@1042/1795251600000',
        origin: { topic: 'orders', partition: 3, offset: 1_042, timestamp: 1_795_251_600_000 },
        group: 'billing',
        errorName: 'PaymentRefused',
        errorMessage: 'no money',
        fingerprint: '0123456789ab',
        stage: 'handler',
        disposition: 'systemic',
        attempts: 5,
        interruptions: 1,
        deadLetteredAt: Date.UTC(2026, 10, 21, 9, 2),
        redriveCount: 0,
        isDoubtful: false,
        isExpired: false,
      },
    });
  });

  test('is read with nothing but an id and an origin: texts are empty, numbers 0, the time that of the record', () => {
    expect(readLetterTopic(lying({ ...ORIGIN, 'x-dead-letter-id': 'i' }))).toMatchObject({
      letter: {
        id: 'i',
        group: '',
        errorName: '',
        errorMessage: '',
        fingerprint: '',
        stage: '',
        disposition: '',
        attempts: 0,
        interruptions: 0,
        deadLetteredAt: 1_795_251_600_000,
        redriveCount: 0,
      },
    });
  });

  test('whose numbers and time are none is read all the same', () => {
    const headers = {
      ...LETTER,
      'x-retry-count': 'five',
      'x-interruption-count': '',
      'x-redrive-count': 'x',
      'x-dead-lettered-at': 'noon',
    };

    expect(readLetterTopic(lying(headers))).toMatchObject({
      letter: { attempts: 0, interruptions: 0, redriveCount: 0, deadLetteredAt: 1_795_251_600_000 },
    });
  });

  test.each([
    ['how often it was redriven', { 'x-redrive-count': '2' }, { redriveCount: 2 }],
    ['that nobody can tell whether it was handled', { 'x-doubtful': '' }, { isDoubtful: true }],
    ['that Kafka holds its records no more', { 'x-error-name': 'RECORD_EXPIRED' }, { isExpired: true }],
  ])('says %s', (_, headers, letter) => {
    expect(readLetterTopic(lying({ ...LETTER, ...headers }))).toMatchObject({ type: 'letter', letter });
  });

  test("is told by the last header of a name: the first may be the record's own", () => {
    const [own, ours] = [lying({ 'x-error-name': 'Upstream', 'x-dead-letter-id': 'theirs' }), lying(LETTER)];

    expect(readLetterTopic({ ...ours, headers: [...own.headers, ...ours.headers] })).toMatchObject({
      letter: { errorName: 'PaymentRefused', id: 'c/billing/orders-3@1042/1795251600000' },
    });
  });

  test('is what was written', () => {
    const error = { name: 'PaymentRefused', text: 'no money', stage: 'handler' } as const;
    const letter = deadLetter(
      { topic: 'orders', partition: 3, offset: 1_042, key: null, value: null, headers: [], timestamp: 1_000 },
      {
        cluster: 'c',
        group: 'billing',
        blocked: blockedRecordAt(1_042, { attempts: 2, interruptions: 1, fingerprint: '0123456789ab', error }),
        stack: '',
        maxAttempts: 5,
        now: 9_000,
        requestId: 'r',
        names: ['spring', 'connect'],
        maxBytes: 1_000_000,
      },
    );

    expect(readLetterTopic({ partition: 0, ...letter, offset: 0 })).toMatchObject({
      letter: {
        id: 'c/billing/orders-3@1042/1000',
        origin: { topic: 'orders', partition: 3, offset: 1_042, timestamp: 1_000 },
        group: 'billing',
        errorName: 'PaymentRefused',
        errorMessage: 'no money',
        fingerprint: '0123456789ab',
        stage: 'handler',
        disposition: 'rejected',
        attempts: 2,
        interruptions: 1,
        deadLetteredAt: 9_000,
      },
    });
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['without headers', {}],
    ['without an id', ORIGIN],
    ['with an empty id', { ...ORIGIN, 'x-dead-letter-id': '' }],
    ['without an origin', { 'x-dead-letter-id': 'i' }],
  ])('is none %s', (_, headers) => {
    expect(readLetterTopic(lying(headers))).toEqual({ type: 'foreign' });
  });
});

describe('a marker of what became of letters', () => {
  const MARKER = { 'x-lockstep-marker': 'redriven' };
  const marker = (value: string | null, headers: Readonly<Record<string, string>> = MARKER) =>
    readLetterTopic(lying(headers, { key: null, value: value === null ? null : Buffer.from(value) }));

  test('is JSON that people can read, behind a header', () => {
    const offsets = [
      { from: 7, to: 9 },
      { from: 11, to: 11 },
    ];

    expect(markerRecord({ what: 'purged', offsets, at: 1_000, by: 'ann' })).toEqual({
      key: null,
      value: Buffer.from('{"offsets":"7+2,2","at":"1970-01-01T00:00:01.000Z","by":"ann"}'),
      headers: [{ name: 'x-lockstep-marker', value: Buffer.from('purged') }],
      timestamp: 1_000,
    });
  });

  test.each(['redriven', 'purged'])('that says %s is read back', (what) => {
    const value = '{"offsets":"7+2","at":"1970-01-01T00:00:01.000Z","by":"ann"}';

    expect(marker(value, { 'x-lockstep-marker': what })).toEqual({
      type: 'marker',
      marker: { what, offsets: [{ from: 7, to: 9 }], at: 1_000, by: 'ann' },
    });
  });

  test.each<[string, string | null, Readonly<Record<string, string>>]>([
    ['says something else', '{"offsets":"7"}', { 'x-lockstep-marker': 'lost' }],
    ['has no value', null, MARKER],
    ['is no JSON', 'redriven', MARKER],
    ['is JSON of nothing', 'null', MARKER],
    ['names no offsets', '{"at":"1970-01-01T00:00:01.000Z"}', MARKER],
    ['names offsets that are none', '{"offsets":"-1"}', MARKER],
  ])('is none where it %s', (_, value, headers) => {
    expect(marker(value, headers)).toEqual({ type: 'foreign' });
  });

  test('is none behind the header of somebody else', () => {
    expect(marker('{"offsets":"7"}', { traceparent: '00-1', ...MARKER })).toEqual({ type: 'foreign' });
  });

  test('is none where a letter is: its record may have borne such a header', () => {
    expect(readLetterTopic(lying({ ...MARKER, ...LETTER }))).toMatchObject({ type: 'letter' });
  });
});
