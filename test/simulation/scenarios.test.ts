import { expect, test } from 'vitest';
import { play, type ScenarioResult } from './scenario.ts';
import type { PlannedRecord } from './topic.ts';
import type { World } from './world.ts';

const MINUTE = 60_000;

const brokenPromises = (results: readonly ScenarioResult[]) =>
  results.flatMap(({ name, violation }) =>
    violation === undefined ? [] : [`${name}: ${violation.property}: ${violation.text}`],
  );

const total = (results: readonly ScenarioResult[], metric: string) =>
  results.reduce((sum, result) => sum + result.metric(metric), 0);

const plain = (count: number, more: PlannedRecord = {}): PlannedRecord[] => Array.from({ length: count }, () => more);

/** Runs of the handler that succeeded, one for each record where all goes well. */
const successes = ({ events }: ScenarioResult) =>
  events.filter((event) => event.type === 'ended' && event.how === 'succeeded').length;

test('transaction markers at every batch boundary never make a batch wait, and cost no memory', async () => {
  const results = await play({ records: [plain(90, { gap: 1 })], settings: { batchSize: 1 } }, 1);

  expect(brokenPromises(results)).toEqual([]);
  expect(total(results, 'PartitionsWaitingForRecord')).toBe(0);
  expect(total(results, 'ReplayHalted')).toBe(0);
  expect(results.map(successes)).toEqual(results.map(() => 90));
});

test('a pending record that retention takes does not hold the partition while others keep coming', async () => {
  const results = await play({
    records: [[{ key: 'a' }, { key: 'a', does: 'fails', times: 99 }, ...plain(12, { key: 'b' })]],
    plot: (world) => takeLater(world, 1, 2_500),
  });

  expect(brokenPromises(results)).toEqual([]);
  expect(results.every(({ events }) => events.some(({ type }) => type === 'vanished'))).toBe(true);
});

test('a mapping that is disabled for ten minutes in mid-back-off has lost nothing', async () => {
  const results = await play({
    records: [[{ key: 'a', does: 'fails', times: 4 }, ...plain(8, { key: 'b' })]],
    plot: ({ scheduler, mapping }) => void scheduler.in(1_500, () => mapping.disable()),
  });

  expect(brokenPromises(results)).toEqual([]);
  expect(total(results, 'RecordsNotRedelivered')).toBe(0);
  expect(total(results, 'RecordsDeadLettered')).toBe(0);
});

test('a recreated topic whose first record kills is recognised once, and its killer dead-lettered', async () => {
  const results = await play({
    records: [plain(6, { key: 'a' })],
    plot: (world) =>
      void world.scheduler.in(30_000, () => {
        const timestamp = world.scheduler.now + 10 * MINUTE;
        void world.recreate('recreatedNewer', () => {
          world.topic.begin();
          const killer = { key: 'a', does: 'kills', times: 99, timestamp } as const;
          world.topic.write(0, [killer, ...plain(5, { key: 'a', timestamp })]);
        });
      }),
  });

  expect(brokenPromises(results)).toEqual([]);
  expect(results.map(({ metric }) => metric('RecordsDeadLettered'))).toEqual(results.map(() => 1));
  expect(results.map(({ metric }) => metric('TopicsRecreated'))).toEqual(results.map(() => 1));
});

test('key order with many settled ranges in one batch, then a crash: what ran ahead does not run again', async () => {
  const records = Array.from(
    { length: 40 },
    (_, index): PlannedRecord =>
      index % 2 === 0 ? { key: 'blocked', does: 'fails', times: index === 0 ? 4 : 0 } : { key: `k${index}` },
  );
  const results = await play({
    records: [records],
    settings: { batchSize: 40 },
    faults: [{ kind: 'diesBefore', request: 'release', nth: 1 }],
  });

  expect(brokenPromises(results)).toEqual([]);
});

test('a checkpoint that lands after its successor changes nothing', async () => {
  const results = await play({
    records: [plain(12)],
    faults: [
      { kind: 'landsLate', request: 'write', nth: 1 },
      { kind: 'landsLate', request: 'write', nth: 3 },
      { kind: 'landsLate', request: 'release', nth: 1 },
    ],
  });

  expect(brokenPromises(results)).toEqual([]);
  expect(results.map(successes)).toEqual(results.map(() => 12));
});

test('two partitions with the same two keys in opposite order run each key once and do not wait for ever', async () => {
  const results = await play(
    {
      records: [
        [{ id: 'x' }, { id: 'y' }],
        [{ id: 'y' }, { id: 'x' }],
      ],
      settings: { keyed: true, pollers: 2 },
    },
    20,
  );

  expect(brokenPromises(results)).toEqual([]);
  expect(results.map(successes)).toEqual(results.map(() => 2));
});

test('a batch that was refused as busy and then overtaken keeps its order', async () => {
  const results = await play({
    records: [[{ key: 'a', does: 'slow', times: 1 }, ...plain(9, { key: 'a' })]],
    settings: { batchSize: 2 },
    // The mapping believes that the first invocation is gone; it runs on, and dies later.
    faults: [
      { kind: 'connectionLost', nth: 1 },
      { kind: 'diesBefore', request: 'write', nth: 2 },
    ],
  });

  expect(brokenPromises(results)).toEqual([]);
  expect(total(results, 'PartitionsBusy')).toBeGreaterThan(0);
});

test('an event that two invocations get at once is handled once', async () => {
  const results = await play({ records: [plain(8)], faults: [{ kind: 'deliveredTwice', nth: 1 }] });

  expect(brokenPromises(results)).toEqual([]);
  expect(results.map(successes)).toEqual(results.map(() => 8));
});

function takeLater(world: World, offset: number, ms: number): void {
  world.scheduler.in(ms, () => {
    const record = world.records.find((candidate) => candidate.offset === offset);
    if (record !== undefined) world.vanish(record);
  });
}
