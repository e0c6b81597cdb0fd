import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keptTarget } from '../../console/kept-target.ts';
import { looksAt } from '../../console/look-at.ts';
import { deployedConsumer, type FakeCloud, fakeTarget } from './fake-target.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
let cloud: FakeCloud;
let committed: number;
let letters: number;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  committed = 100;
  letters = 2;
  cloud = {
    consumers: [deployedConsumer('Orders')],
    mapping: { State: 'Enabled' },
    asked: [],
    operate: async (_, request) => ({
      partitions: [{ partition: 0, start: 0, end: 150, committed }],
      letters,
      ...(request.type === 'topics' && request.countLetters && { openLetters: letters - 1 }),
    }),
  };
});
afterEach(() => {
  vi.useRealTimers();
});

/** A ledger item with a record that has failed so often. */
function blockedAt(offset: number, attempts: number): object {
  const record = {
    att: { N: String(attempts) },
    int: { N: '0' },
    exh: { BOOL: false },
    ff: { N: String(NOON - 60_000) },
    fp: { S: 'f00d' },
    ts: { N: '1' },
    hash: { S: 'h' },
    err: { M: { name: { S: 'Error' }, text: { S: `try ${attempts}` }, stage: { S: 'handler' } } },
  };
  return {
    v: { N: '2' },
    epoch: { N: '3' },
    rev: { N: '4' },
    leaseUntil: { N: '0' },
    settled: { S: '' },
    blockedRecords: { M: { [String(offset)]: { M: record } } },
  };
}

const eyes = () =>
  looksAt(
    keptTarget(async () => fakeTarget(cloud)),
    { local: true },
  );

test('the time-line of a blocked record has each count of tries once, as the looks have seen it', async () => {
  const { look } = eyes();
  const triesOf = async (item: object) => {
    cloud.item = item;
    const { consumers } = await look();
    vi.advanceTimersByTime(5_000);
    return consumers[0]?.status?.partitions[0]?.tries;
  };
  expect(await triesOf(blockedAt(7, 1))).toEqual([{ at: NOON, attempts: 1, error: 'Error: try 1' }]);
  expect(await triesOf(blockedAt(7, 1))).toHaveLength(1);
  expect(await triesOf(blockedAt(7, 3))).toEqual([
    { at: NOON, attempts: 1, error: 'Error: try 1' },
    { at: NOON + 10_000, attempts: 3, error: 'Error: try 3' },
  ]);
  expect(await triesOf(blockedAt(8, 1))).toEqual([{ at: NOON + 15_000, attempts: 1, error: 'Error: try 1' }]);
});

test('a blocked record is named, with its partition', async () => {
  cloud.item = blockedAt(7, 1);
  const { consumers } = await eyes().look();
  expect(consumers).toMatchObject([
    { isStuck: true, lag: 50, status: { partitions: [{ name: 'orders-0', record: 'orders-0@7', state: 'blocked' }] } },
  ]);
});

test('records a second are what the group moved on since the look before', async () => {
  const { look, points } = eyes();
  expect((await look()).consumers[0]).not.toHaveProperty('perSecond');
  committed = 125;
  vi.advanceTimersByTime(5_000);
  expect((await look()).consumers[0]).toMatchObject({ perSecond: 5, lag: 25 });
  expect(points()).toEqual({
    Orders: [
      { at: NOON, lag: 50, perSecond: null },
      { at: NOON + 5_000, lag: 25, perSecond: 5 },
    ],
  });
});

test('open letters are counted only when their topic has changed, or after a minute', async () => {
  const { look } = eyes();
  const countedAfter = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    const before = cloud.asked.length;
    const { consumers } = await look();
    return [consumers[0]?.status?.openLetters, cloud.asked.length - before];
  };
  expect(await countedAfter(0)).toEqual([1, 2]);
  expect(await countedAfter(5_000)).toEqual([1, 1]);
  letters = 9;
  expect(await countedAfter(5_000)).toEqual([8, 2]);
  expect(await countedAfter(59_000)).toEqual([8, 1]);
  expect(await countedAfter(1_000)).toEqual([8, 2]);
});

test('the alarms are read twice a minute', async () => {
  cloud.alarms = [{ AlarmName: 'lag-time', StateValue: 'OK' }];
  const { look } = eyes();
  const alarmsAfter = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    return (await look()).consumers[0]?.alarms;
  };
  expect(await alarmsAfter(0)).toEqual([{ name: 'lag-time', state: 'OK' }]);
  cloud.alarms = [{ AlarmName: 'lag-time', StateValue: 'ALARM', StateTransitionedTimestamp: new Date(NOON) }];
  expect(await alarmsAfter(29_000)).toEqual([{ name: 'lag-time', state: 'OK' }]);
  expect(await alarmsAfter(1_000)).toEqual([{ name: 'lag-time', state: 'ALARM', since: NOON }]);
});

test('a consumer that does not answer is said, is not asked twice, and does not hold up the others', async () => {
  cloud.consumers = [deployedConsumer('Orders'), deployedConsumer('Slow')];
  const { operate } = cloud;
  cloud.operate = (consumer, request) =>
    consumer.name === 'Slow' ? new Promise(() => undefined) : operate(consumer, request);
  const { look } = eyes();
  for (let times = 0; times < 2; times++) {
    const looking = look();
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await looking).consumers).toMatchObject([
      { name: 'Orders', lag: 50 },
      { name: 'Slow', error: { code: 'NO_ANSWER' } },
    ]);
  }
  // Two looks at Orders, whose letters are counted once; one at Slow.
  expect(cloud.asked).toHaveLength(4);
});

test('a consumer that was deleted is not shown any more, and its plot is forgotten', async () => {
  const { look, points } = eyes();
  await look();
  cloud.consumers = [];
  vi.advanceTimersByTime(60_000);
  expect(await look()).toMatchObject({ consumers: [] });
  expect(points()).toEqual({});
});

test('an item that cannot be read shows at its partition', async () => {
  cloud.item = { ...blockedAt(7, 1), v: { N: '99' } };
  const { consumers } = await eyes().look();
  expect(consumers).toMatchObject([{ isStuck: true, status: { partitions: [{ state: 'unreadable' }] } }]);
});
