import { expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { readRecords } from '../../../shared/operator/read-records.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { type FakeTopicLog, fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const ORDERS = { topic: 'orders', partition: 2 };
const LETTERS = 'orders-dead-letters';
const base64 = (text: string) => Buffer.from(text).toString('base64');

function source(log: FakeTopicLog) {
  return { log, deadLetterTopic: LETTERS, group: 'billing', secret: FAKE_SECRET, giveUpAt: 0 };
}

/** A partition with 3,000 records of three keys, and the dead letter of the last one. */
function aTopic() {
  const log = fakeTopicLog();
  for (let offset = 0; offset < 3_000; offset++)
    log.put(ORDERS, offset, { key: Buffer.from('abc'.charAt(offset % 3)), value: Buffer.from(`${offset}`) });
  const headers = [{ name: 'x-tenant', value: Buffer.from([0xff]) }];
  const record = { key: Buffer.from('rare'), value: Buffer.from([0, 0xff]), headers, timestamp: 77 };
  log.put(ORDERS, 3_000, record);
  const { id, ...letter } = deadLetter(
    { ...ORDERS, offset: 3_000, ...record },
    {
      cluster: 'c',
      group: 'billing',
      blocked: blockedRecordAt(3_000, {
        attempts: 5,
        fingerprint: 'print',
        error: { name: 'BadOrder', text: 'no', stage: 'handler' },
      }),
      stack: '',
      maxAttempts: 5,
      now: 1_000_000,
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
      secret: FAKE_SECRET,
    },
  );
  log.put({ topic: LETTERS, partition: 0 }, 0, letter);
  return { log, id };
}

const exact = {
  position: 'orders-2@3000',
  timestamp: 77,
  key: base64('rare'),
  value: 'AP8=',
  headers: [{ name: 'x-tenant', value: '/w==' }],
};

test('a record is read with its exact bytes, by its place and by its dead letter', async () => {
  const { log, id } = aTopic();

  expect(await readRecords(source(log), 'orders', { at: { ...ORDERS, offset: 3_000 }, before: 0, of: 'key' })).toEqual({
    records: [exact],
    isComplete: true,
  });
  expect(await readRecords(source(log), 'orders', { at: { id }, before: 0, of: 'key' })).toEqual({
    records: [exact],
    isComplete: true,
    cause: { id, errorName: 'BadOrder', fingerprint: 'print' },
  });
});

test('a record that retention took is taken from its dead letter', async () => {
  const { log, id } = aTopic();
  log.expire(ORDERS, 3_001);

  expect(await readRecords(source(log), 'orders', { at: { id }, before: 2, of: 'key' })).toMatchObject({
    records: [exact],
    isComplete: false,
    takenFrom: 'letter',
  });
});

test.each<['key' | 'partition', number, number, string[], boolean]>([
  ['key', 2_999, 3, ['orders-2@2990', 'orders-2@2993', 'orders-2@2996', 'orders-2@2999'], true],
  ['partition', 2_999, 2, ['orders-2@2997', 'orders-2@2998', 'orders-2@2999'], true],
  ['key', 3_000, 2, ['orders-2@3000'], false],
  ['partition', 1, 5, ['orders-2@0', 'orders-2@1'], false],
])(
  'of the same %s, the last ones before a record at %i come first',
  async (of, offset, before, positions, isComplete) => {
    const { log } = aTopic();
    const answer = await readRecords(source(log), 'orders', { at: { ...ORDERS, offset }, before, of });

    expect(answer.records.map(({ position }) => position)).toEqual(positions);
    expect(answer.isComplete).toBe(isComplete);
  },
);

test('no answer is larger than that of a function may be', async () => {
  const { log } = aTopic();
  for (let offset = 3_001; offset < 3_010; offset++) log.put(ORDERS, offset, { value: Buffer.alloc(1_000_000) });

  const { records } = await readRecords(source(log), 'orders', {
    at: { ...ORDERS, offset: 3_009 },
    before: 8,
    of: 'partition',
  });

  expect(records.map(({ position }) => position)).toEqual(['orders-2@3007', 'orders-2@3008', 'orders-2@3009']);
});

test('why there is no record is told', async () => {
  const { log } = aTopic();
  const read = (at: Parameters<typeof readRecords>[2]['at']) =>
    readRecords(source(log), 'orders', { at, before: 0, of: 'key' });

  expect(await read({ id: 'nobody' })).toEqual({ records: [], isComplete: false, missing: 'letter' });
  expect(await read({ ...ORDERS, offset: 9_000 })).toMatchObject({ missing: 'absent' });
  log.expire(ORDERS, 10);
  expect(await read({ ...ORDERS, offset: 3 })).toMatchObject({ missing: 'expired' });
});
