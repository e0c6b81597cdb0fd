import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterDelivery,
  afterOutcome,
  type Batch,
  committable,
  emptyPoller,
  emptyQueue,
  fetched,
  type InvocationOutcome,
  type MappingRules,
  nextBatch,
  type QueuedRecord,
  RESEND_READINGS,
  withQueue,
} from '../../../../infra/local/event-source/decide.ts';
import { rules } from './a-poller.ts';

type Step =
  | { readonly type: 'fetch'; readonly partition: number; readonly gaps: readonly number[]; readonly bytes: number }
  | { readonly type: 'send' }
  | {
      readonly type: 'end';
      readonly which: number;
      readonly outcome: InvocationOutcome['type'];
      readonly fails: readonly number[];
    }
  | { readonly type: 'pass'; readonly ms: number };

const PARTITIONS = ['orders-0', 'orders-1', 'orders-2'];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('fetch' as const),
      partition: fc.nat(2),
      gaps: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }),
      bytes: fc.integer({ min: 20, max: 900 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'send' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      which: fc.nat(4),
      outcome: fc.constantFrom<InvocationOutcome['type']>(
        'answered',
        'answered',
        'answered',
        'malformed',
        'error',
        'notInvoked',
      ),
      fails: fc.array(fc.nat(30), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 300 }) }) },
);

const someRules: fc.Arbitrary<MappingRules> = fc
  .record({
    reading: fc.constantFrom(...RESEND_READINGS),
    batchSize: fc.integer({ min: 1, max: 7 }),
    batchingWindowMs: fc.constantFrom(0, 100),
    retryDelayMs: fc.constantFrom(0, 50),
    maxRetryAttempts: fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY),
    bisectOnFunctionError: fc.boolean(),
    maxEventBytes: fc.constantFrom(1_000, 800, 100_000),
  })
  .map(rules);

/** Where each fetched record stands, kept without a look at the state under test. */
class Oracle {
  readonly unsettled = new Map(PARTITIONS.map((name) => [name, new Set<number>()]));
  readonly inFlight: Batch<QueuedRecord>[] = [];

  settle(partition: string, offsets: Iterable<number>): void {
    for (const offset of offsets) expect(this.of(partition).delete(offset)).toBe(true);
  }

  of(partition: string): Set<number> {
    return this.unsettled.get(partition) ?? new Set();
  }
}

function run(steps: readonly Step[], given: MappingRules): void {
  const oracle = new Oracle();
  let state = emptyPoller<QueuedRecord>();
  let nowMs = 0;
  const nextOffset = new Map<string, number>();

  const give = (discards: ReturnType<typeof nextBatch<QueuedRecord>>['discards']) => {
    for (const { partition, records } of discards)
      oracle.settle(
        partition,
        records.map(({ offset }) => offset),
      );
    state = afterDelivery(state, discards);
  };
  const trySend = (): boolean => {
    const next = nextBatch(state, nowMs, given);
    state = next.state;
    give(next.discards);
    if (next.type === 'wait') {
      expect(next.untilMs).toBeGreaterThan(nowMs);
      return false;
    }
    check(next.batch, oracle, given);
    oracle.inFlight.push(next.batch);
    return true;
  };
  const end = (batch: Batch<QueuedRecord>, outcome: InvocationOutcome) => {
    oracle.inFlight.splice(oracle.inFlight.indexOf(batch), 1);
    const after = afterOutcome(state, batch, outcome, nowMs, given);
    state = after.state;
    const before = new Map(
      batch.parts.map(({ partition, records }) => [partition, new Set(records.map(({ offset }) => offset))]),
    );
    for (const { partition } of batch.parts) {
      const queue = state.queues.get(partition) ?? emptyQueue<QueuedRecord>(partition);
      const kept = [...queue.retries, ...queue.leaving].flatMap(({ records }) => records.map(({ offset }) => offset));
      const gone = [...(before.get(partition) ?? [])].filter((offset) => !kept.includes(offset));
      if (outcome.type !== 'answered') expect(gone).toEqual([]);
      else
        for (const failure of outcome.batchItemFailures)
          if (failure.partition === partition) expect(gone).not.toContain(failure.offset);
      oracle.settle(partition, gone);
    }
    give(after.discards);
  };

  for (const current of steps) {
    switch (current.type) {
      case 'fetch': {
        const name = PARTITIONS[current.partition] ?? 'orders-0';
        let offset = nextOffset.get(name) ?? 0;
        const records = current.gaps.map((gap) => {
          offset += gap;
          oracle.of(name).add(offset - 1);
          return { offset: offset - 1, timestamp: 0, bytes: current.bytes };
        });
        nextOffset.set(name, offset);
        state = withQueue(state, fetched(state.queues.get(name) ?? emptyQueue(name), records, offset, nowMs));
        break;
      }
      case 'send':
        trySend();
        break;
      case 'pass':
        nowMs += current.ms;
        break;
      case 'end': {
        const batch = oracle.inFlight[current.which % Math.max(1, oracle.inFlight.length)];
        if (batch) end(batch, outcomeOf(current, batch));
      }
    }
    for (const queue of state.queues.values()) {
      const lowest = Math.min(...oracle.of(queue.name), queue.position ?? 0);
      expect(committable(queue)).toBe(lowest);
    }
  }

  for (let rounds = 0; rounds < 500; rounds += 1) {
    for (const batch of [...oracle.inFlight]) end(batch, { type: 'answered', batchItemFailures: [] });
    nowMs += 1_000;
    while (trySend());
    if (oracle.inFlight.length === 0) break;
  }
  for (const name of PARTITIONS) expect([...oracle.of(name)]).toEqual([]);
}

function outcomeOf({ outcome, fails }: Extract<Step, { type: 'end' }>, batch: Batch<QueuedRecord>): InvocationOutcome {
  if (outcome === 'malformed') return { type: 'malformed', found: '' };
  if (outcome !== 'answered') return { type: outcome };
  const sent = batch.parts.flatMap(({ partition, records }) => records.map(({ offset }) => ({ partition, offset })));
  const batchItemFailures = fails.flatMap((index) => sent[index] ?? []);
  return { type: 'answered', batchItemFailures };
}

function check(batch: Batch<QueuedRecord>, oracle: Oracle, given: MappingRules): void {
  expect(batch.recordCount).toBeLessThanOrEqual(given.batchSize);
  expect(batch.bytes).toBeLessThanOrEqual(given.maxEventBytes);
  const busy = oracle.inFlight.flatMap(({ parts }) => parts.map(({ partition }) => partition));
  for (const { partition, records } of batch.parts) {
    expect(busy).not.toContain(partition);
    const offsets = records.map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    for (const offset of offsets) expect(oracle.of(partition)).toContain(offset);
    if (given.reading === 'overtaken') continue;
    const last = offsets.at(-1) ?? 0;
    const earlier = [...oracle.of(partition)].filter((offset) => offset < last);
    expect(offsets).toEqual([...earlier, last].sort((a, b) => a - b));
  }
}

describe('for any fetches, outcomes and rules', () => {
  test('nothing is lost, nothing older is passed over, limits hold, commits never run ahead', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), someRules, (steps, given) => run(steps, given)),
      { numRuns: 1_500 },
    );
  });
});
