import { expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { markerRecord } from '../../../shared/decide/letter.ts';
import { groupLetters, listLetters, showLetter } from '../../../shared/operator/letters.ts';
import { fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { headAt } from '../../fixtures/progress.ts';

const TOPIC = 'orders-dead-letters';
const NOON = Date.UTC(2026, 0, 1, 12);

function aTopic() {
  const log = fakeTopicLog({ slice: 3 });
  const put = (at: number, offset: number, cause: string, now: number) => {
    const { key, value, headers, timestamp } = deadLetter(
      {
        topic: 'orders',
        partition: 0,
        offset,
        key: Buffer.from('a'),
        value: Buffer.from([0xff, 0xfe]),
        headers: [],
        timestamp: NOON,
      },
      {
        cluster: 'c',
        group: 'billing',
        head: headAt(offset, {
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
      },
    );
    log.put({ topic: TOPIC, partition: 0 }, at, { key, value, headers, timestamp });
  };
  put(0, 10, 'CreditDown', NOON);
  put(1, 11, 'BadOrder', NOON + 1_000);
  put(2, 12, 'CreditDown', NOON + 2_000);
  put(3, 13, 'CreditDown', NOON + 3_000);
  const marker = markerRecord({ what: 'redriven', offsets: [{ from: 2, to: 2 }], at: NOON, by: 'ann' });
  log.put({ topic: TOPIC, partition: 0 }, 4, marker);
  log.put({ topic: TOPIC, partition: 0 }, 5, { value: Buffer.from('somebody else’s record') });
  return { log, deadLetterTopic: TOPIC, group: 'billing', giveUpAt: Number.POSITIVE_INFINITY };
}

test('groups what is open by cause, the most frequent first, with when and an example', async () => {
  expect(await groupLetters(aTopic(), {})).toEqual({
    letters: 3,
    read: 4,
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
      },
      expect.objectContaining({ errorName: 'BadOrder', count: 1 }),
    ],
  });
});

test.each([
  [{ errorName: 'CreditDown' }, ['orders-0@10', 'orders-0@13']],
  [{ since: NOON + 1_000, until: NOON + 3_000 }, ['orders-0@11']],
  [{ partition: 0, fromOffset: 11, toOffset: 12 }, ['orders-0@11']],
  [{ key: 'b' }, []],
])('lists what %j means', async (filter, origins) => {
  const { letters, total } = await listLetters(aTopic(), filter, 50);
  expect(letters.map(({ origin }) => origin)).toEqual(origins);
  expect(total).toBe(origins.length);
});

test('shows bytes that are no text as base64', async () => {
  const { letter } = await showLetter(aTopic(), `c/billing/orders-0@11/${NOON}`);
  expect(letter).toMatchObject({ origin: 'orders-0@11', key: 'a', value: 'base64://4=' });
});

test('says of a letter that is not there that it is not', async () => {
  expect(await showLetter(aTopic(), 'c/billing/orders-0@99/1')).toEqual({ letter: null });
});
