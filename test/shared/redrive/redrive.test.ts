import { expect, test } from 'vitest';
import { type DeadRecord, deadLetter } from '../../../shared/decide/dead-letter.ts';
import { markerRecord, readLetterTopic } from '../../../shared/decide/letter.ts';
import { redrivenRecord } from '../../../shared/decide/redrive.ts';
import { type ReturnedRecord, readReturned } from '../../../shared/decide/returned-record.ts';
import type { TransactionRecord } from '../../../shared/ports/transactions.ts';
import { LetterIndex } from '../../../shared/redrive/letter-index.ts';
import { type RedriveOrder, redrive } from '../../../shared/redrive/redrive.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { fakeTopicLog } from '../../../shared/testing/fake-topic-log.ts';
import { type CommitFault, fakeTransactions } from '../../../shared/testing/fake-transactions.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';

const NOW = Date.UTC(2026, 0, 1);
const LETTERS = 'orders-dead-letters';
const OWNER = { secret: FAKE_SECRET, group: 'billing', deadLetterTopic: LETTERS };
const TARGET = { topic: 'orders', partitions: new Set([0]), group: 'billing' };

function aLetter(
  offset: number,
  {
    error = 'CreditDown',
    key = 'a',
    group = 'billing',
    topic = 'orders',
    partition = 0,
    timestamp = 1_000 + offset,
    secret = FAKE_SECRET,
    own = [] as { name: string; value: Buffer }[],
    record = {} as Partial<DeadRecord>,
    returned = undefined as ReturnedRecord | undefined,
  } = {},
) {
  return deadLetter(
    {
      topic,
      partition,
      offset,
      key: Buffer.from(key),
      value: Buffer.from(`value-${offset}`),
      headers: [{ name: 'traceparent', value: Buffer.from('00-1') }, ...own],
      timestamp,
      ...record,
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
      secret,
      returned,
    },
  );
}

/** @param refuses - whether the broker takes no transaction with these records */
function aTopic(
  letters: readonly ReturnType<typeof aLetter>[],
  { refuses = () => false }: { refuses?: (records: readonly TransactionRecord[]) => boolean } = {},
) {
  const log = fakeTopicLog({ slice: 7 });
  letters.forEach(({ key, value, headers, timestamp }, offset) => {
    log.put({ topic: LETTERS, partition: 0 }, offset, { key, value, headers, timestamp });
  });
  const faults: (CommitFault | undefined)[] = [];
  const transactions = fakeTransactions(log, (records) => (refuses(records) ? 'lost' : faults.shift()));
  const source = {
    log,
    deadLetterTopic: LETTERS,
    group: 'billing',
    giveUpAt: Number.POSITIVE_INFINITY,
    secret: FAKE_SECRET,
  };
  // The source is there, and empty.
  log.all({ topic: 'orders', partition: 0 });
  const clock = new VirtualClock(NOW);
  const run = (order: Partial<RedriveOrder> = {}, writer = transactions.open()) =>
    clock.runUntilSettled(
      redrive(
        { filter: {}, what: 'redrive', dryRun: false, maxRedrives: 3, includeDoubtful: false, by: 'ann', ...order },
        { source, topic: 'orders', transactions: writer, clock },
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
    ['x-lockstep-for', 'billing'],
    ['x-dead-letter-id', 'c/billing/orders-0@3/1003'],
    ['x-redrive-count', '1'],
    ['x-lockstep-signature', expect.stringMatching(/^[A-Za-z0-9_-]{43}$/)],
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
  'a commit that is %s is decided by taking over again: nothing is missing or doubled',
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

/** The letter of a record that was redriven and died again, at `offset`. */
function again(letter: ReturnType<typeof aLetter>, offset: number) {
  const found = readLetterTopic({ partition: 0, offset: 0, ...letter }, OWNER);
  if (found.type !== 'letter') throw new Error('no letter');
  const back = redrivenRecord(found.letter, TARGET, FAKE_SECRET);
  const returned = readReturned(FAKE_SECRET, back);
  return { back, read: found.letter, dead: aLetter(offset, { record: back, returned }) };
}

test('a record that keeps failing stops returning', async () => {
  const second = again(aLetter(1), 90).dead;
  const third = again(second, 91).dead;
  const topic = aTopic([again(third, 92).dead, aLetter(2)]);

  expect(await topic.run()).toMatchObject({ done: 1, refused: { maxRedrives: 1, doubtful: 0, expired: 0 } });

  expect(topic.values()).toEqual(['value-2']);
});

test('a record that is dead-lettered again keeps its first origin, and counts its redrives', () => {
  const once = again(aLetter(1), 90);
  const twice = again(once.dead, 91);

  expect(twice.read.origin).toEqual({ topic: 'orders', partition: 0, offset: 1, timestamp: 1_001 });
  expect(twice.read.redriveCount).toBe(1);
  expect(twice.back.headers.map(({ name }) => name)).toEqual(once.back.headers.map(({ name }) => name));
  expect(readReturned(FAKE_SECRET, twice.back)).toMatchObject({ redriveCount: 2, group: 'billing' });
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

test('letters of another topic, or of a partition that the topic has not, stay where they are; the others return', async () => {
  const topic = aTopic([aLetter(1, { topic: 'payroll' }), aLetter(2, { partition: 9 }), aLetter(3)]);

  expect(await topic.run()).toMatchObject({ done: 1, left: 0, refused: { elsewhere: 2 } });

  expect(topic.values()).toEqual(['value-3']);
  expect(topic.log.all({ topic: 'payroll', partition: 0 })).toEqual([]);
});

test.each([
  ['the first', 0],
  ['one in the middle', 311],
  ['the last', 599],
])('a letter that the broker does not take back stops only itself, by name: %s', async (_, bad) => {
  const letters = Array.from({ length: 600 }, (_, offset) => aLetter(offset));
  const topic = aTopic(letters, {
    refuses: (records) => records.some(({ value }) => value?.toString() === `value-${bad}`),
  });

  expect(await topic.run()).toEqual({
    selected: 600,
    done: 599,
    left: 0,
    refused: { maxRedrives: 0, doubtful: 0, expired: 0, elsewhere: 0 },
    stopped: [
      {
        id: `c/billing/orders-0@${bad}/${1_000 + bad}`,
        origin: `orders-0@${bad}`,
        why: expect.stringContaining('REDRIVE_FAILED'),
      },
    ],
  });

  expect(topic.values()).toEqual(letters.flatMap((_, offset) => (offset === bad ? [] : `value-${offset}`)));
});

test('several letters that the broker does not take back are each named', async () => {
  const bad = new Set(['value-3', 'value-4', 'value-90']);
  const topic = aTopic(
    Array.from({ length: 100 }, (_, offset) => aLetter(offset)),
    { refuses: (records) => records.some(({ value }) => bad.has(String(value))) },
  );

  const { done, stopped } = await topic.run();

  expect(done).toBe(97);
  expect(stopped.map(({ origin }) => origin)).toEqual(['orders-0@3', 'orders-0@4', 'orders-0@90']);
});

test('a broker that takes nothing is no fault of the letters', async () => {
  const topic = aTopic(
    Array.from({ length: 10 }, (_, offset) => aLetter(offset)),
    { refuses: () => true },
  );
  await expect(topic.run()).rejects.toThrow('REDRIVE_FAILED');
});

test('a dry run names the other groups that read the topic', async () => {
  const topic = aTopic([aLetter(1)]);
  for (const group of ['shipping', 'audit', 'billing']) topic.log.commit(group, { topic: 'orders', partition: 0 }, 5);
  topic.log.commit('elsewhere', { topic: 'payments', partition: 0 }, 5);

  expect((await topic.run({ dryRun: true })).otherGroups).toEqual(['audit', 'shipping']);
});

const signedByAnother = { secret: Buffer.alloc(32, 'a guess') };

test('a forged letter does not stand in for ours, wherever it lies, and a forged marker hides nothing', async () => {
  const forged = { ...aLetter(1, signedByAnother), value: Buffer.from('FORGED') };
  const marker = markerRecord(
    { what: 'purged', offsets: [{ from: 0, to: 100 }], at: NOW, by: 'anybody' },
    { ...OWNER, ...signedByAnother },
    0,
  );
  const topic = aTopic([forged, { ...forged, ...marker }, aLetter(1), forged, { ...forged, ...marker }]);

  expect(await topic.run()).toMatchObject({ selected: 1, done: 1 });

  expect(topic.values()).toEqual(['value-1']);
});

test('a copy of a marker of ours closes nothing that was written after it', async () => {
  const topic = aTopic([aLetter(1)]);
  const marker = markerRecord({ what: 'purged', offsets: [{ from: 0, to: 100 }], at: NOW, by: 'ann' }, OWNER, 0);
  topic.log.put({ topic: LETTERS, partition: 0 }, 1, marker);
  const later = aLetter(2);
  topic.log.put({ topic: LETTERS, partition: 0 }, 2, { ...later });

  expect(await topic.run()).toMatchObject({ selected: 1, done: 1 });

  expect(topic.values()).toEqual(['value-2']);
});

test('letters of as many topics as there are letters are indexed in linear time', () => {
  const seconds = (letters: number) => {
    const index = new LetterIndex();
    const found = readLetterTopic({ partition: 0, offset: 0, ...aLetter(1) }, OWNER);
    if (found.type !== 'letter') throw new Error('no letter');
    const startedAt = performance.now();
    for (let offset = 0; offset < letters; offset++) {
      const origin = { ...found.letter.origin, topic: `${'t'.repeat(200)}${offset}` };
      index.add({ ...found.letter, offset, id: `id${offset}`, origin }, 0);
    }
    expect(index.open()).toHaveLength(letters);
    return (performance.now() - startedAt) / 1_000;
  };
  seconds(2_000);
  // Four times as many take four times as long, and not sixteen times.
  expect(seconds(40_000) / seconds(10_000)).toBeLessThan(9);
});
