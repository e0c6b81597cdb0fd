import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DEFAULT_RULES } from '../../../../infra/local/event-source/decide.ts';
import { createDispatcher, type Ended } from '../../../../infra/local/event-source/dispatcher.ts';
import { esmMetrics } from '../../../../infra/local/event-source/esm-metrics.ts';
import { type PollerOptions, startPoller } from '../../../../infra/local/event-source/poller.ts';
import type { FetchedOfSeveral } from '../../../../shared/adapters/kafka/kafkajs-fetch.ts';
import type { RecordBatch } from '../../../../shared/adapters/kafka-format/record-batch.ts';
import { fakeGroup } from './a-group.ts';

const ANSWERED: Ended = { outcome: { type: 'answered', batchItemFailures: [] } };

/** A log of batches of one record; what it holds, and where it is damaged, may change. */
interface FakeLog {
  /** First and end offset of each partition. */
  readonly partitions: [start: number, end: number][];
  /** As `partition@offset`. */
  readonly unreadable: Set<string>;
  /** Waited for by each read. */
  held: Promise<void>;
  readonly reads: [partition: number, from: number][];
}

function fakeLog(...partitions: FakeLog['partitions']): FakeLog {
  return { partitions, unreadable: new Set(), held: Promise.resolve(), reads: [] };
}

function readerOf(log: FakeLog): PollerOptions['reader'] {
  const fetched = (partition: number, from: number): FetchedOfSeveral | undefined => {
    const [start, end] = log.partitions[partition] ?? [];
    if (start === undefined || end === undefined) return undefined;
    if (from < start || from > end) return { type: 'outside', logStart: start };
    const batches = upTo(Math.min(from + 10, end), from).map((offset) =>
      batchAt(offset, log.unreadable.has(`${partition}@${offset}`)),
    );
    return { type: 'piece', piece: { lastStable: end, logStart: start, aborted: [], batches } };
  };
  return {
    read: async (from) => {
      log.reads.push(...from);
      await log.held;
      const found = [...from].map(([partition, offset]) => [partition, fetched(partition, offset)] as const);
      return new Map(found.flatMap(([partition, one]) => (one === undefined ? [] : [[partition, one] as const])));
    },
    close: async () => {},
  };
}

/** One record with value `x`, or of a codec that nobody knows. */
function batchAt(offset: number, isUnreadable: boolean): RecordBatch {
  return {
    ...{ firstOffset: offset, lastOffset: offset, producerId: -1n, isTransactional: false, isControl: false },
    ...{ compression: isUnreadable ? 7 : 0, firstTimestamp: 1, appendedAt: undefined, count: 1 },
    // Length 7; attributes, timestamp and offset 0; no key; a value of one byte; no headers.
    body: Buffer.from([14, 0, 0, 0, 1, 2, 0x78, 0]),
  };
}

function pollerOn(
  log: FakeLog,
  changes: Partial<PollerOptions> = {},
  invoke: (offsets: readonly number[]) => Promise<Ended> = async () => ANSWERED,
) {
  const { kafka, made } = fakeGroup('orders', [0]);
  const invoked: number[] = [];
  const lines: string[] = [];
  const poller = startPoller({
    ...{ kafka, topic: 'orders', groupId: 'group', batchSize: 10, filter: () => true, onJoin: () => {} },
    metrics: esmMetrics({ put: () => {} }, 'uuid', []),
    reader: readerOf(log),
    committedOffsets: async () => new Map([[0, 0]]),
    log: (line) => lines.push(line),
    againAfterMs: 5,
    dispatcher: (onChange) =>
      createDispatcher({
        rules: { ...DEFAULT_RULES, batchSize: 10, batchingWindowMs: 0 },
        ...{ concurrency: 5, now: Date.now, giveUp: async () => {}, onFailed: () => {}, onChange },
        invoke: async (batch) => {
          const offsets = batch.parts.flatMap(({ records }) => records.map(({ offset }) => offset));
          invoked.push(...offsets);
          return invoke(offsets);
        },
      }),
    ...changes,
  });
  onTestFinished(() => poller.stop('abruptly'));
  return { poller, made, invoked, lines };
}

const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, index) => from + index);
const distinct = (offsets: readonly number[]) => [...new Set(offsets)].sort((a, b) => a - b);

describe('joining again', () => {
  test('what is fetched while the committed offsets are asked for is fetched again, and handled', async () => {
    const log = fakeLog([0, 10]);
    const answers = [Promise.resolve(new Map([[0, 0]]))];
    const { made, invoked } = pollerOn(
      log,
      { committedOffsets: () => answers.at(-1) ?? Promise.resolve(new Map()) },
      // The first batch never ends here: its session expired, and another member handled it.
      (offsets) => (offsets.includes(0) ? new Promise(() => {}) : Promise.resolve(ANSWERED)),
    );
    await vi.waitFor(() => expect(invoked).toHaveLength(10));
    const late = Promise.withResolvers<Map<number, number>>();
    answers.push(late.promise);
    log.partitions[0] = [0, 30];
    made[0]?.join([0]);
    late.resolve(new Map([[0, 10]]));

    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 30]));
    expect(invoked).toEqual(upTo(30));
  });

  test('commits nothing for a partition before it knows the group’s position: that would reset the group', async () => {
    const log = fakeLog([0, 10]);
    const answers = [Promise.resolve(new Map([[0, 0]]))];
    const { made, invoked } = pollerOn(
      log,
      { committedOffsets: () => answers.at(-1) ?? Promise.resolve(new Map()) },
      (offsets) => (offsets.includes(0) ? new Promise(() => {}) : Promise.resolve(ANSWERED)),
    );
    await vi.waitFor(() => expect(invoked).toHaveLength(10));
    const late = Promise.withResolvers<Map<number, number>>();
    answers.push(late.promise);
    log.partitions[0] = [0, 30];
    made[0]?.join([0]);
    made[0]?.rebalance();
    late.resolve(new Map([[0, 25]]));

    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 30]));
    expect(made[0]?.commits).toEqual([[0, 30]]);
  });

  test('batches in flight of a poller that must leave are committed, although the group rebalances meanwhile', async () => {
    const held = Promise.withResolvers<void>();
    const { poller, made, invoked } = pollerOn(fakeLog([0, 10]), {}, async () => {
      await held.promise;
      return ANSWERED;
    });
    await vi.waitFor(() => expect(invoked).toHaveLength(10));
    const stopped = poller.stop('drained');
    made[0]?.join([0]);
    held.resolve();
    await stopped;

    expect(made[0]?.commits).toEqual([[0, 10]]);
  });

  test('what was being fetched meanwhile is fetched again from where the partition stood', async () => {
    const log = fakeLog([0, 10]);
    const { made, invoked } = pollerOn(log);
    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 10]));
    const held = Promise.withResolvers<void>();
    log.held = held.promise;
    log.partitions[0] = [0, 20];
    const before = log.reads.length;
    await vi.waitFor(() => expect(log.reads.length).toBeGreaterThan(before));
    made[0]?.join([0]);
    held.resolve();

    await vi.waitFor(() => expect(distinct(invoked)).toEqual(upTo(20)));
  });

  test('a partition that went on without it begins at the group’s position', async () => {
    const log = fakeLog([0, 10]);
    let committed = 0;
    const { made, invoked } = pollerOn(log, { committedOffsets: async () => new Map([[0, committed]]) }, (offsets) =>
      offsets.includes(0) ? new Promise(() => {}) : Promise.resolve(ANSWERED),
    );
    await vi.waitFor(() => expect(invoked).toHaveLength(10));
    committed = 25;
    log.partitions[0] = [0, 30];
    made[0]?.join([0]);

    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 30]));
    expect(invoked).toEqual([...upTo(10), ...upTo(30, 25)]);
  });

  test('a broker that does not say what was committed is asked until it does, and that is said once', async () => {
    const log = fakeLog([0, 10]);
    let asked = 0;
    const { invoked, lines } = pollerOn(log, {
      committedOffsets: async () => {
        asked += 1;
        if (asked < 3) throw new Error('not authorized');
        return new Map([[0, 0]]);
      },
    });

    await vi.waitFor(() => expect(invoked).toHaveLength(10), 4_000);
    expect(lines).toEqual(['group group does not say what was committed; it is asked again: not authorized']);
  });

  test('reads nothing while it is out of the group', async () => {
    const log = fakeLog([0, 10]);
    const { poller, made, invoked } = pollerOn(log);
    await vi.waitFor(() => expect(invoked).toHaveLength(10));
    made[0]?.crash(new Error('the broker is gone'));
    log.partitions[0] = [0, 20];
    // A read that had begun ends; the next would only begin in the group.
    await poller.stop('abruptly');

    expect(invoked).toEqual(upTo(10));
  });
});

describe('what cannot be read', () => {
  test('is said in one line with its place, read again until it can, and stops no other partition', async () => {
    const log = fakeLog([0, 20], [0, 20]);
    log.unreadable.add('0@5');
    const { made, invoked, lines } = pollerOn(log);
    await vi.waitFor(() => expect(invoked).toEqual(upTo(5)));
    made[0]?.join([0, 1]);
    await vi.waitFor(() => expect(made[0]?.commits).toContainEqual([1, 20]));
    expect(lines).toEqual([
      'orders-0 cannot be read at offset 5; it is tried again: unknown compression 7, expected 0 to 4',
    ]);

    log.unreadable.clear();
    await vi.waitFor(() => expect(made[0]?.commits).toContainEqual([0, 20]), 4_000);
    expect(lines).toHaveLength(1);
  });

  test('a poller that crashes says so in one line and goes on', async () => {
    const log = fakeLog([0, 10]);
    const { made, invoked, lines } = pollerOn(log);
    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 10]));
    made[0]?.crash(new Error('the coordinator is gone'));
    log.partitions[0] = [0, 20];

    await vi.waitFor(() => expect(distinct(invoked)).toEqual(upTo(20)), 4_000);
    expect(lines).toEqual(['a poller of orders crashed; it joins group group again: the coordinator is gone']);
  });

  test('a reader that fails is said in one line, and asked again', async () => {
    const log = fakeLog([0, 10]);
    const reader = readerOf(log);
    let reads = 0;
    const read: typeof reader.read = async (from) => {
      reads += 1;
      if (reads < 3) throw new Error('no broker answers');
      return reader.read(from);
    };
    const { invoked, lines } = pollerOn(log, { reader: { ...reader, read } });

    await vi.waitFor(() => expect(invoked).toEqual(upTo(10)), 4_000);
    expect(lines).toEqual(['orders cannot be read; it is tried again: no broker answers']);
  });
});

describe('a log that is another', () => {
  test('what has expired is passed over', async () => {
    const { made, invoked } = pollerOn(fakeLog([7, 10]));

    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 10]));
    expect(invoked).toEqual([7, 8, 9]);
  });

  test('one that ends before what was read is of another topic, and is read from its start', async () => {
    const log = fakeLog([0, 10]);
    const { made, invoked } = pollerOn(log);
    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 10]));
    log.partitions[0] = [0, 3];

    await vi.waitFor(() => expect(made[0]?.commits.at(-1)).toEqual([0, 3]));
    expect(invoked).toEqual([...upTo(10), 0, 1, 2]);
  });
});
