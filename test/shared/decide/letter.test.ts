import { describe, expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { type LetterRecord, markerRecord, parseLetter, readLetterTopic } from '../../../shared/decide/letter.ts';
import { textHeader } from '../../../shared/decide/letter-headers.ts';
import { signedHeaders } from '../../../shared/decide/signature.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const OWNER = { secret: FAKE_SECRET, group: 'billing', deadLetterTopic: 'orders-dead-letters' };

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

type Texts = Readonly<Record<string, string>>;

/** Signed as a letter of ours. */
function lying(headers: Texts, changes: Partial<LetterRecord> = {}, own: Texts = {}): LetterRecord {
  const all = [...Object.entries(own), ...Object.entries(headers)];
  const record = {
    partition: 1,
    offset: 7,
    key: Buffer.from('customer-7'),
    value: Buffer.from('{}'),
    headers: all.map(([name, value]) => ({ name, value: Buffer.from(value) })),
    timestamp: 1_795_251_600_000,
    ...changes,
  };
  return { ...record, headers: signedHeaders(FAKE_SECRET, 'letter', 'billing', record) };
}

describe('a letter as it lies on its topic', () => {
  test('says where the record was, why it is here and how often it was tried', () => {
    const record = lying(LETTER);

    expect(readLetterTopic(record, OWNER)).toStrictEqual({
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
    expect(parseLetter(lying({ ...ORIGIN, 'x-dead-letter-id': 'i' }))).toMatchObject({
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

    expect(readLetterTopic(lying(headers), OWNER)).toMatchObject({
      letter: { attempts: 0, interruptions: 0, redriveCount: 0, deadLetteredAt: 1_795_251_600_000 },
    });
  });

  test.each([
    ['how often it was redriven', { 'x-redrive-count': '2' }, { redriveCount: 2 }],
    ['that it is not known whether it was handled', { 'x-doubtful': '' }, { isDoubtful: true }],
    ['that Kafka holds its records no more', { 'x-error-name': 'RECORD_EXPIRED' }, { isExpired: true }],
    [
      'which place it has in a parked key',
      { 'x-parked-sequence': 's1', 'x-parked-ordinal': '3' },
      { parked: { sequence: 's1', ordinal: 3 } },
    ],
  ])('says %s', (_, headers, letter) => {
    expect(readLetterTopic(lying({ ...LETTER, ...headers }), OWNER)).toMatchObject({ type: 'letter', letter });
  });

  test('is read from our headers alone: those of the record are before them', () => {
    const own = { 'x-error-name': 'Upstream', 'x-dead-letter-id': 'theirs', 'x-doubtful': '', 'x-redrive-count': '99' };
    const { headers, ...record } = lying(LETTER, {}, own);

    expect(readLetterTopic({ ...record, headers }, OWNER)).toMatchObject({
      letter: {
        errorName: 'PaymentRefused',
        id: 'c/billing/orders-3@1042/1795251600000',
        isDoubtful: false,
        redriveCount: 0,
      },
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
        secret: FAKE_SECRET,
      },
    );

    expect(readLetterTopic({ partition: 0, ...letter, offset: 0 }, OWNER)).toMatchObject({
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
    expect(readLetterTopic(lying(headers), OWNER)).toEqual({ type: 'foreign', claims: 'nothing' });
  });
});

describe('a letter that Lockstep did not write', () => {
  const ours = lying(LETTER);
  const [firstHeader, ...otherHeaders] = ours.headers;
  if (firstHeader === undefined) throw new Error('no header');

  test.each<[string, LetterRecord, claims?: string]>([
    ['has no signature', { ...ours, headers: ours.headers.slice(0, -1) }],
    ['has another value', { ...ours, value: Buffer.from('{"amount":1}') }],
    ['has no value', { ...ours, value: null }],
    ['has another key', { ...ours, key: Buffer.from('customer-8') }],
    ['has the value in its key', { ...ours, key: Buffer.from('customer-7{}'), value: Buffer.from('') }],
    ['has a header less', { ...ours, headers: ours.headers.toSpliced(5, 1) }],
    ['has a header more', { ...ours, headers: [textHeader('a', 'b'), ...ours.headers] }],
    [
      'has its headers in another order',
      { ...ours, headers: [...otherHeaders.slice(0, 5), firstHeader, ...otherHeaders.slice(5)] },
      'nothing',
    ],
    ['has a header behind its signature', { ...ours, headers: [...ours.headers, textHeader('x-doubtful', '')] }],
    ['is signed with another secret', signedBy(Buffer.alloc(32, 'another'), 'letter', 'billing')],
    ['is signed as something else', signedBy(FAKE_SECRET, 'returned', 'billing')],
    ['is signed for another group', signedBy(FAKE_SECRET, 'letter', 'shipping')],
  ])('is foreign where it %s', (_, record, claims = 'a letter') => {
    expect(readLetterTopic(record, OWNER)).toEqual({ type: 'foreign', claims });
  });

  test('is another group’s where it says so', () => {
    expect(readLetterTopic(lying({ ...LETTER, 'x-consumer-group': 'shipping' }), OWNER)).toEqual({ type: 'other' });
  });

  test('stays ours when the topic stamps it, wherever it lies', () => {
    expect(readLetterTopic({ ...ours, timestamp: 9, partition: 8, offset: 99 }, OWNER)).toMatchObject({
      type: 'letter',
    });
  });

  function signedBy(secret: Buffer, kind: 'letter' | 'returned', place: string): LetterRecord {
    const record = { ...ours, headers: ours.headers.slice(0, -1) };
    return { ...record, headers: signedHeaders(secret, kind, place, record) };
  }
});

describe('a marker of what became of letters', () => {
  const offsets = [
    { from: 3, to: 4 },
    { from: 6, to: 6 },
  ];
  const MARKER = { what: 'purged', offsets, at: 1_000, by: 'ann' } as const;
  const ours = (changes: Partial<LetterRecord> = {}): LetterRecord => ({
    partition: 1,
    offset: 7,
    ...markerRecord(MARKER, OWNER, 1),
    ...changes,
  });

  test('is JSON that people can read, behind a header and before a signature', () => {
    const { headers, ...record } = markerRecord(MARKER, OWNER, 1);
    expect(record).toEqual({
      key: null,
      value: Buffer.from('{"offsets":"3+1,2","at":"1970-01-01T00:00:01.000Z","by":"ann","group":"billing"}'),
      timestamp: 1_000,
    });
    expect(headers.map(({ name }) => name)).toEqual(['x-lockstep-marker', 'x-lockstep-signature']);
    expect(headers[0]?.value.toString()).toBe('purged');
  });

  test.each(['redriven', 'purged'] as const)('that says %s is read back', (what) => {
    expect(readLetterTopic(ours(markerRecord({ ...MARKER, what }, OWNER, 1)), OWNER)).toEqual({
      type: 'marker',
      marker: { what, offsets, at: 1_000, by: 'ann' },
    });
  });

  test('closes only what lies before it', () => {
    const early = markerRecord({ ...MARKER, offsets: [{ from: 0, to: 9_000_000 }] }, OWNER, 1);
    expect(readLetterTopic(ours(early), OWNER)).toMatchObject({ marker: { offsets: [{ from: 0, to: 6 }] } });
  });

  test.each<[string, LetterRecord, claims?: string]>([
    ['has no signature', ours({ headers: ours().headers.slice(0, 1) })],
    ['has no headers', ours({ headers: [] }), 'nothing'],
    ['says something else', ours({ headers: [textHeader('x-lockstep-marker', 'lost')] }), 'nothing'],
    ['says it under another name', ours({ headers: [textHeader('a', 'purged')] }), 'nothing'],
    ['names a group that is no text', ours({ value: Buffer.from('{"group":7}') })],
    ['has another value', ours({ value: Buffer.from('{"offsets":"0+6","group":"billing"}') })],
    ['has no value', ours({ value: null })],
    ['is no JSON', ours({ value: Buffer.from('redriven') })],
    ['is JSON of nothing', ours({ value: Buffer.from('null') })],
    ['lies in another partition than it was written to', ours({ partition: 2 })],
    ['is after a header of another writer', ours({ headers: [textHeader('a', 'b'), ...ours().headers] }), 'nothing'],
    ['is signed with another secret', ours(markerRecord(MARKER, { ...OWNER, secret: Buffer.alloc(32) }, 1))],
    ['is of another topic', ours(markerRecord(MARKER, { ...OWNER, deadLetterTopic: 'payments-dead-letters' }, 1))],
  ])('is none where it %s', (_, record, claims = 'a marker') => {
    expect(readLetterTopic(record, OWNER)).toEqual({ type: 'foreign', claims });
  });

  test('is none of ours where it names another group', () => {
    const theirs = markerRecord(MARKER, { ...OWNER, group: 'shipping' }, 1);
    expect(readLetterTopic(ours(theirs), OWNER)).toEqual({ type: 'other' });
  });

  test('is none where a letter is: its record may have borne such a header', () => {
    expect(readLetterTopic(lying(LETTER, {}, { 'x-lockstep-marker': 'purged' }), OWNER)).toMatchObject({
      type: 'letter',
    });
  });
});

test('a letter of ours stays ours where a header has half a character in its name, which Kafka cannot hold', () => {
  const letter = deadLetter(
    {
      topic: 'orders',
      partition: 3,
      offset: 7,
      key: null,
      value: null,
      headers: [{ name: 'a\ud800', value: Buffer.from('b') }],
      timestamp: 1,
    },
    {
      cluster: 'c',
      group: 'billing',
      secret: FAKE_SECRET,
      blocked: blockedRecordAt(7, { exhausted: true }),
      stack: '',
      maxAttempts: 5,
      now: 1_795_251_600_000,
      requestId: 'r',
      names: [],
      maxBytes: 1_114_124,
      returned: undefined,
    },
  );
  const read = letter.headers.map(({ name, value }) => ({ name: Buffer.from(name).toString(), value }));

  expect(readLetterTopic({ ...letter, headers: read, partition: 0, offset: 1 }, OWNER).type).toBe('letter');
});
