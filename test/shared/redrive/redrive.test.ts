import { expect, test } from 'vitest';
import { deadLetter } from '../../../shared/decide/dead-letter.ts';
import { readLetterTopic } from '../../../shared/decide/letter.ts';
import { redrivenRecord } from '../../../shared/decide/redrive.ts';
import { type RedriveOrder, redrive } from '../../../shared/redrive/redrive.ts';
import { fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { type CommitFault, fakeTransactions } from '../../../shared/testing/fake-transactions.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const NOW = Date.UTC(2026, 0, 1);
const LETTERS = 'orders-dead-letters';

function aLetter(
  offset: number,
  { error = 'CreditDown', key = 'a', group = 'billing', own = [] as { name: string; value: Buffer }[] } = {},
) {
  return deadLetter(
    {
      topic: 'orders',
      partition: 0,
      offset,
      key: Buffer.from(key),
      value: Buffer.from(`value-${offset}`),
      headers: [{ name: 'traceparent', value: Buffer.from('00-1') }, ...own],
      timestamp: 1_000 + offset,
    },
    {
      cluster: 'c',
      group,
      blocked: blockedRecordAt(offset, {
        attempts: 5,
        fingerprint: `print-of-${error}`,
        error: { name: error, text: 'no', stage: 'handler' },
      }),
      stack: '',
      maxAttempts: 5,
      now: NOW,
      requestId: 'r',
      names: ['spring'],
      maxBytes: 1_000_000,
    },
  );
}

function aTopic(letters: readonly ReturnType<typeof aLetter>[]) {
  const log = fakeTopicLog({ slice: 7 });
  letters.forEach(({ key, value, headers, timestamp }, offset) => {
    log.put({ topic: LETTERS, partition: 0 }, offset, { key, value, headers, timestamp });
  });
  const faults: (CommitFault | undefined)[] = [];
  const transactions = fakeTransactions(log, () => faults.shift());
  const source = { log, deadLetterTopic: LETTERS, group: 'billing', giveUpAt: Number.POSITIVE_INFINITY };
  const clock = new VirtualClock(NOW);
  const run = (order: Partial<RedriveOrder> = {}, writer = transactions.open()) =>
    clock.runUntilSettled(
      redrive(
        { filter: {}, what: 'redrive', dryRun: false, maxRedrives: 3, includeDoubtful: false, by: 'ann', ...order },
        { source, transactions: writer, clock },
      ),
    );
  const returned = () => log.all({ topic: 'orders', partition: 0 }).map(({ record }) => record);
  const values = () => returned().map(({ value }) => value?.toString());
  return { log, faults, transactions, source, clock, run, returned, values };
}

test('records return in their original order, with their own bytes, headers and time', async () => {
  const own = [{ name: 'x-stage', value: Buffer.from('the record’s own') }];
  const topic = aTopic([aLetter(5), aLetter(3, { own }), aLetter(4)]);

  expect(await topic.run()).toMatchObject({ selected: 3, done: 3, left: 0 });

  expect(topic.values()).toEqual(['value-3', 'value-4', 'value-5']);
  const [first] = topic.returned();
  expect(first?.timestamp).toBe(1_003);
  expect(first?.headers.map(({ name, value }) => [name, value.toString()])).toEqual([
    ['traceparent', '00-1'],
    ['x-stage', 'the record’s own'],
    ['x-original-topic', 'orders'],
    ['x-original-partition', '0'],
    ['x-original-offset', '3'],
    ['x-original-timestamp', '1003'],
    ['x-dead-letter-id', 'c/billing/orders-0@3/1003'],
    ['x-redrive-count', '1'],
  ]);
});

test('a record returns once, however often it is asked for', async () => {
  const topic = aTopic([aLetter(1), aLetter(2)]);

  await topic.run();
  expect(await topic.run()).toMatchObject({ selected: 0, done: 0, left: 0 });

  expect(topic.values()).toEqual(['value-1', 'value-2']);
});

test('a copy of a letter is the same letter, also one that comes after the redrive', async () => {
  const topic = aTopic([aLetter(1), aLetter(1), aLetter(2)]);
  await topic.run();
  const late = aLetter(2);
  topic.log.put({ topic: LETTERS, partition: 0 }, 50, { ...late });

  await topic.run();

  expect(topic.values()).toEqual(['value-1', 'value-2']);
});

test('only what the filter means returns; letters of other groups are none of ours', async () => {
  const topic = aTopic([aLetter(1), aLetter(2, { error: 'BadOrder' }), aLetter(3), aLetter(4, { group: 'shipping' })]);

  await topic.run({ filter: { fingerprint: 'print-of-Credit' } });

  expect(topic.values()).toEqual(['value-1', 'value-3']);
});

test.each<CommitFault>(['lost', 'unanswered'])(
  'a commit that is %s is decided by taking over anew: nothing is missing or doubled',
  async (fault) => {
    const letters = Array.from({ length: 600 }, (_, offset) => aLetter(offset));
    const topic = aTopic(letters);
    topic.faults.push(undefined, fault);

    expect(await topic.run()).toMatchObject({ left: 0 });

    expect(topic.values()).toEqual(letters.map(({ value }) => value?.toString()));
  },
);

test('a redrive that another one took over from writes nothing more', async () => {
  const topic = aTopic([aLetter(1)]);
  const first = topic.transactions.open();
  await first.takeOver();
  await topic.transactions.open().takeOver();

  await expect(first.commit([])).rejects.toThrow('REDRIVE_FENCED');
});

test('a dry run counts and changes nothing', async () => {
  const topic = aTopic([aLetter(1), aLetter(2)]);

  expect(await topic.run({ dryRun: true })).toMatchObject({ selected: 2, done: 0, left: 2 });

  expect(topic.transactions.commits).toEqual([]);
});

test('a record that keeps failing stops returning', async () => {
  const own = [{ name: 'x-redrive-count', value: Buffer.from('3') }];
  const topic = aTopic([aLetter(1, { own }), aLetter(2)]);

  expect(await topic.run()).toMatchObject({ done: 1, refused: { maxRedrives: 1, doubtful: 0, expired: 0 } });

  expect(topic.values()).toEqual(['value-2']);
});

test('a record that dies again keeps its first origin, and counts its redrives', () => {
  const read = (letter: ReturnType<typeof aLetter>) => {
    const found = readLetterTopic({ partition: 0, offset: 0, ...letter });
    if (found.type !== 'letter') throw new Error('no letter');
    return found.letter;
  };
  const once = redrivenRecord(read(aLetter(1)));
  const again = deadLetter(
    { ...once, offset: 90 },
    {
      cluster: 'c',
      group: 'billing',
      blocked: blockedRecordAt(90),
      stack: '',
      maxAttempts: 5,
      now: NOW,
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
    },
  );

  const second = read(again);

  expect(second.origin).toEqual({ topic: 'orders', partition: 0, offset: 1, timestamp: 1_001 });
  expect(second.redriveCount).toBe(1);
  expect(redrivenRecord(second).headers.length).toBe(once.headers.length);
  expect(redrivenRecord(second).headers.at(-1)?.value.toString()).toBe('2');
});

test('purged letters are done with, and nothing returns', async () => {
  const topic = aTopic([aLetter(1), aLetter(2, { error: 'BadOrder' })]);

  await topic.run({ what: 'purge', filter: { errorName: 'BadOrder' } });

  expect(topic.values()).toEqual([]);
  expect(await topic.run({ dryRun: true })).toMatchObject({ selected: 1 });
});

test('keeps to its rate', async () => {
  const topic = aTopic(Array.from({ length: 100 }, (_, offset) => aLetter(offset)));

  await topic.run({ rate: 10 });

  expect(topic.transactions.commits).toHaveLength(10);
  expect(topic.clock.now() - NOW).toBeGreaterThanOrEqual(9_000);
});

test('stops in time, and the next call goes on', async () => {
  const topic = aTopic(Array.from({ length: 30 }, (_, offset) => aLetter(offset)));

  expect(await topic.run({ rate: 10, stopAt: NOW + 1_500 })).toMatchObject({ done: 20, left: 10 });
  expect(await topic.run({})).toMatchObject({ selected: 10, done: 10, left: 0 });
});
