import { expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { markerRecord } from '../../../shared/decide/letter.ts';
import { groupLetters } from '../../../shared/operator/group-letters.ts';
import { letterPages, listLetters, showLetter } from '../../../shared/operator/letters.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { type FakeTopicLog, fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const TOPIC = 'orders-dead-letters';
const OWNER = { secret: FAKE_SECRET, group: 'billing', deadLetterTopic: TOPIC };
const NOON = Date.UTC(2026, 0, 1, 12);

function put(log: FakeTopicLog, at: number, offset: number, cause: string, now: number, customer = 'a', time = NOON) {
  const { key, value, headers, timestamp } = deadLetter(
    {
      topic: 'orders',
      partition: 0,
      offset,
      key: Buffer.from(customer),
      value: Buffer.from([0xff, 0xfe]),
      headers: [],
      timestamp: time,
    },
    {
      cluster: 'c',
      group: 'billing',
      blocked: blockedRecordAt(offset, {
        attempts: 5,
        fingerprint: `print-${cause}`,
        error: { name: cause, text: `of ${offset}`, stage: 'handler' },
      }),
      stack: '',
      maxAttempts: 5,
      now,
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
      secret: FAKE_SECRET,
    },
  );
  log.put({ topic: TOPIC, partition: 0 }, at, { key, value, headers, timestamp });
}

function aTopic() {
  const log = fakeTopicLog({ slice: 3 });
  put(log, 0, 10, 'CreditDown', NOON);
  put(log, 1, 11, 'BadOrder', NOON + 1_000);
  put(log, 2, 12, 'CreditDown', NOON + 2_000);
  put(log, 3, 13, 'CreditDown', NOON + 3_000);
  const marker = markerRecord({ what: 'redriven', offsets: [{ from: 2, to: 2 }], at: NOON, by: 'ann' }, OWNER, 0);
  log.put({ topic: TOPIC, partition: 0 }, 4, marker);
  log.put({ topic: TOPIC, partition: 0 }, 5, { value: Buffer.from('somebody else’s record') });
  return { log, deadLetterTopic: TOPIC, group: 'billing', giveUpAt: Number.POSITIVE_INFINITY, secret: FAKE_SECRET };
}

test('groups what is open by cause, the most frequent first, with when and an example', async () => {
  expect(await groupLetters(aTopic(), {})).toEqual({
    letters: 3,
    causes: 2,
    read: 4,
    foreign: 1,
    groups: [
      {
        fingerprint: 'print-CreditDown',
        errorName: 'CreditDown',
        stage: 'handler',
        exampleMessage: 'of 10',
        exampleId: `c/billing/orders-0@10/${NOON}`,
        count: 2,
        firstSeen: '2026-01-01T12:00:00.000Z',
        lastSeen: '2026-01-01T12:00:03.000Z',
        slots: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      },
      expect.objectContaining({
        errorName: 'BadOrder',
        count: 1,
        slots: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      }),
    ],
  });
});

test.each([
  [{ errorName: 'CreditDown' }, ['orders-0@10', 'orders-0@13']],
  [{ since: NOON + 1_000, until: NOON + 3_000 }, ['orders-0@11']],
  [{ partition: 0, fromOffset: 11, toOffset: 12 }, ['orders-0@11']],
  [{ key: 'b' }, []],
])('lists what %j means', async (filter, origins) => {
  const { letters, total } = await listLetters(aTopic(), { filter, limit: 50 });
  expect(letters.map(({ origin }) => origin)).toEqual(origins);
  expect(total).toBe(origins.length);
});

test('an example of a cause is an open letter, also where the first one was redriven', async () => {
  const topic = aTopic();
  const marker = markerRecord({ what: 'redriven', offsets: [{ from: 0, to: 0 }], at: NOON, by: 'ann' }, OWNER, 0);
  topic.log.put({ topic: TOPIC, partition: 0 }, 6, marker);

  const { groups } = await groupLetters(topic, { errorName: 'CreditDown' });

  expect(groups).toMatchObject([{ count: 1, exampleMessage: 'of 13', firstSeen: '2026-01-01T12:00:03.000Z' }]);
});

test('a list goes on behind its cursor, whatever came or went meanwhile', async () => {
  const topic = aTopic();
  const first = await listLetters(topic, { filter: {}, limit: 2 });
  expect(first).toMatchObject({ letters: [{ origin: 'orders-0@10' }, { origin: 'orders-0@11' }], total: 3 });
  expect(first.next).toBeUndefined();
  const after = { originTopic: 'orders', originPartition: 0, originOffset: 11, partition: 0, offset: 1 };

  topic.log.put(
    { topic: TOPIC, partition: 0 },
    6,
    markerRecord({ what: 'purged', offsets: [{ from: 0, to: 1 }], at: NOON, by: 'ann' }, OWNER, 0),
  );

  expect(await listLetters(topic, { filter: {}, limit: 2, after })).toMatchObject({
    letters: [{ origin: 'orders-0@13' }],
    total: 1,
  });
});

test('more letters than an answer can carry come in pages, each letter once', async () => {
  const { log, ...topic } = aTopic();
  const long = 'x'.repeat(10_000);
  for (let offset = 100; offset < 1_100; offset++) put(log, offset, offset, 'CreditDown', NOON, `${long}-${offset}`);

  const pages = [];
  for await (const page of letterPages({ log, ...topic }, { filter: {}, limit: 900 })) pages.push(page);

  expect(pages.map(({ letters, total }) => [letters.length, total])).toEqual([
    [397, 1_003],
    [394, 1_003],
    [109, 1_003],
  ]);
  expect(pages.map(({ next }) => next?.originOffset)).toEqual([493, 887, undefined]);
  const origins = pages.flatMap(({ letters }) => letters.map(({ origin }) => origin));
  expect(origins.slice(0, 4)).toEqual(['orders-0@10', 'orders-0@11', 'orders-0@13', 'orders-0@100']);
  expect(new Set(origins).size).toBe(900);
  const second = await listLetters({ log, ...topic }, { filter: {}, limit: 394, after: pages[0]?.next });
  expect(second.letters).toEqual(pages[1]?.letters);
});

test('shows bytes that are no text as base64', async () => {
  const { letter } = await showLetter(aTopic(), `c/billing/orders-0@11/${NOON}`);
  expect(letter).toMatchObject({ origin: 'orders-0@11', key: 'a', value: 'base64://4=' });
});

test('shows the time of a record that has no date as its producer gave it', async () => {
  const source = aTopic();
  const nanoseconds = 1_795_251_615_123 * 1e6;
  put(source.log, 6, 14, 'BadOrder', NOON, 'a', nanoseconds);

  expect((await showLetter(source, `c/billing/orders-0@14/${nanoseconds}`)).letter?.timestamp).toBe(
    String(nanoseconds),
  );
});

test('says of a letter that is not there that it is not', async () => {
  expect(await showLetter(aTopic(), 'c/billing/orders-0@99/1')).toEqual({ letter: null });
});
