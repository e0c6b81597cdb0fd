import { startConsumer } from '../measure/consumer-child.ts';
import type { BatchShape } from '../measure/orders-event.ts';
import { PEERS, type PeerName } from '../measure/peers.ts';
import type { Round } from '../measure/round.ts';
import type { KeyedBy } from '../peers/common/peer.ts';
import { figure, median, withSpread } from '../report/statistics.ts';
import type { Part } from './part.ts';
import { describe } from './requests.ts';

/** Records of one round: enough for the clock, few enough for many rounds. */
const RECORDS_A_ROUND = 2_000;
/** Warm-up: a process handles batches for hours, so compilation of its code is not part of their cost. */
const WARM_UP = { shape: { records: 100, partitions: 1, kind: 'fresh' }, rounds: 100 } as const;
/** Before each shape once more. */
const SHAPE_WARM_UP_RECORDS = 40_000;
/** Of batches of one record. */
const MOST_WARM_UP_ROUNDS = 20;
const ALLOCATION_WARM_UP_ROUNDS = 4;
const FLOOR = 'bare';
const NOISE_MICROS = 0.5;
/** With larger batches the peers take minutes, because they send one request after the other. */
const LONGEST = 100;
const KEYED = [
  ['position', 'by position'],
  ['orderId', 'with idempotency keys'],
] as const;

interface Measured {
  readonly shape: BatchShape;
  readonly keyedBy: KeyedBy;
  /** Microseconds of CPU a record, round by round; of others than the floor without it, of duplicates as they are. */
  readonly cpu: ReadonlyMap<PeerName, readonly number[]>;
}

/** CPU for each record outside handler and parsing: stores in memory, the four in turns, the cost of the bare one subtracted. */
export const cpu: Part = async ({ sizes, partitions, rounds, progress }) => {
  await using stack = new AsyncDisposableStack();
  const consumers = new Map(
    await Promise.all(PEERS.map(async (name) => [name, stack.use(await startConsumer(name))] as const)),
  );
  const measured: Measured[] = [];
  for (const [keyedBy, words] of KEYED) {
    progress(`CPU ${words}: warming up`);
    for (let turn = 0; turn < WARM_UP.rounds; turn++)
      for (const consumer of consumers.values()) await consumer.run(inMemory(WARM_UP.shape, keyedBy));
    for (const shape of shapes(sizes, partitions)) {
      progress(`CPU ${words}: ${describe(shape)}`);
      const round = inMemory(shape, keyedBy);
      const seen = new Map<PeerName, number[]>(PEERS.map((name) => [name, []]));
      const warmUp = Math.ceil(SHAPE_WARM_UP_RECORDS / (round.batches * shape.records));
      for (let turn = -Math.min(warmUp, MOST_WARM_UP_ROUNDS); turn < rounds; turn++) {
        for (const [name, consumer] of consumers) {
          const { cpuMicros, records } = await consumer.run(round);
          if (turn >= 0) seen.get(name)?.push(cpuMicros / records);
        }
      }
      // Not all of them parse records that they then skip, so there is no common cost to subtract.
      measured.push({ shape, keyedBy, cpu: shape.kind === 'duplicates' ? seen : withoutFloor(seen) });
    }
  }
  return {
    title: 'CPU µs a record outside the handler and its parsing',
    text: `Stores are in memory and answer at once, so no SDK is measured. Each consumer has a process of its own. They take turns, round by round. The time is user and system time of the whole process, with garbage collection and compilation. The median of the bare handler, which parses and applies, is taken off. Median (10th–90th percentile) of ${rounds} rounds of at least ${RECORDS_A_ROUND.toLocaleString('en')} records, after ${(WARM_UP.rounds * RECORDS_A_ROUND).toLocaleString('en')} to warm up and ${SHAPE_WARM_UP_RECORDS.toLocaleString('en')} of each shape. A failing batch is handled up to the failing record, but counted whole. Of duplicates all of it is shown, parsing too: Lockstep does not parse what it knows to be settled.`,
    tables: KEYED.map(([keyedBy, words]) => ({
      caption: words,
      head: ['batch', 'lockstep', 'powertools', 'middy', 'bare (all of it)', 'powertools / lockstep'],
      rows: measured
        .filter((one) => one.keyedBy === keyedBy)
        .map(({ shape, cpu: seen }) => [
          describe(shape),
          ...PEERS.map((name) => withSpread(seen.get(name) ?? [])),
          ratio(median(seen.get('powertools') ?? []), median(seen.get('lockstep') ?? [])),
        ]),
    })),
  };
};

/** Bytes allocated a record, in processes whose young generation holds all of a round. */
export const allocation: Part = async ({ sizes, partitions, rounds, progress }) => {
  const rows = new Map<string, string[]>();
  for (const name of PEERS) {
    await using consumer = await startConsumer(name, { countAllocations: true });
    for (const [keyedBy, words] of KEYED) {
      for (const shape of shapes(sizes, partitions).filter(({ kind }) => kind !== 'failing')) {
        progress(`allocations: ${name} ${words}, ${describe(shape)}`);
        const round = { ...inMemory(shape, keyedBy), allocation: true };
        for (let turn = 0; turn < ALLOCATION_WARM_UP_ROUNDS; turn++)
          await consumer.run({ ...round, allocation: false });
        const seen: number[] = [];
        for (let turn = 0; turn < Math.min(rounds, 5); turn++) {
          const { allocatedBytes, records } = await consumer.run({ ...round, batches: Math.min(round.batches, 10) });
          seen.push(allocatedBytes / records);
        }
        const id = `${describe(shape)}, ${words}`;
        rows.set(id, [...(rows.get(id) ?? [id]), figure(median(seen))]);
      }
    }
  }
  return {
    title: 'Bytes allocated per record',
    text: 'Heap and buffers, stores in memory included, parsing and handler too (the bare one shows how much of it). No garbage is collected while it is counted.',
    tables: [{ head: ['batch', ...PEERS], rows: [...rows.values()] }],
  };
};

/** How long a batch takes where each request to the store takes a while. */
export const latency: Part = async ({ sizes, partitions, latencies, progress }) => {
  await using stack = new AsyncDisposableStack();
  const rows: string[][] = [];
  const consumers = new Map(
    await Promise.all(PEERS.map(async (name) => [name, stack.use(await startConsumer(name))] as const)),
  );
  for (const [keyedBy, words] of KEYED) {
    for (const shape of shapes(sizes, partitions).filter(
      ({ kind, records }) => kind === 'fresh' && records <= LONGEST,
    )) {
      for (const latencyMs of latencies) {
        progress(`wall time ${words}: ${describe(shape)}, ${latencyMs} ms`);
        const cells: string[] = [];
        const round = { ...inMemory(shape, keyedBy), store: { type: 'memory', latencyMs } as const, batches: 1 };
        for (const consumer of consumers.values()) {
          await consumer.run(round);
          const seen: number[] = [];
          for (let turn = 0; turn < 3; turn++) seen.push((await consumer.run(round)).wallMs);
          cells.push(figure(median(seen)));
        }
        rows.push([`${describe(shape)}, ${words}`, String(latencyMs), ...cells]);
      }
    }
  }
  return {
    title: 'Wall time of a batch, in milliseconds',
    text: 'Stores in memory that let each request wait at least so long. Partitions run side by side in all but the bare one; the records of one follow each other. Median of three.',
    tables: [{ head: ['batch', 'store ms', ...PEERS], rows }],
  };
};

function inMemory(shape: BatchShape, keyedBy: KeyedBy): Round {
  const batches = Math.max(1, Math.ceil(RECORDS_A_ROUND / Math.max(shape.records, 10)));
  return { shape, keyedBy, store: { type: 'memory', latencyMs: 0 }, batches, allocation: false };
}

function shapes(sizes: readonly number[], partitions: readonly number[]): BatchShape[] {
  return sizes.flatMap((records) =>
    partitions
      .filter((count) => count <= records)
      .flatMap((count) =>
        (['fresh', 'duplicates', 'failing'] as const).map((kind) => ({ records, partitions: count, kind })),
      ),
  );
}

function withoutFloor(seen: ReadonlyMap<PeerName, readonly number[]>): ReadonlyMap<PeerName, readonly number[]> {
  const floor = median(seen.get(FLOOR) ?? []);
  return new Map(
    [...seen].map(([name, values]) => [name, name === FLOOR ? values : values.map((value) => value - floor)]),
  );
}

/** A value as small as the noise has no ratio. */
function ratio(theirs: number, ours: number): string {
  return Math.min(ours, theirs) < NOISE_MICROS ? '–' : `${figure(theirs / ours)} ×`;
}
