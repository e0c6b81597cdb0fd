import { type BlockedRecord, FRESH_PROGRESS, type Progress } from '../../shared/decide/progress.ts';
import { byPosition, json, type LockstepHandler, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import type { KafkaEvent } from '../../shared/record/kafka-event.ts';
import { kafkaEvent, record } from '../../shared/testing/record.ts';

/** One batch to be measured: its consumer, and the content of its partition's ledger item before. */
export interface GrowthCase {
  readonly handler: LockstepHandler;
  readonly event: KafkaEvent;
  readonly progress?: Progress;
}

/** How the cost of a batch grows with one thing. */
export interface GrowthSeries {
  readonly name: string;
  /** What grows. */
  readonly of: string;
  readonly xs: readonly number[];
  at(x: number): GrowthCase;
}

const TIMESTAMP = Date.UTC(2026, 0, 1);
/** Far from the first offset, so that the ledger can know earlier ones. */
const START = 1_000_000;
const RECORDS = 1_000;
const RECORDS_A_PARTITION = 10;
const FAR_AHEAD_MS = 365 * 24 * 60 * 60 * 1_000;

const common = {
  value: json(),
  idempotencyKey: byPosition,
  haltedAnswerDelayMs: 0,
  blockedAnswerDelayMs: 0,
} as const;
const inPartitionOrder = lockstepConsumer({ ...common, onRecord: async () => undefined });
const byKey = (maxConcurrency: number) =>
  // One turn of the event loop, so that as many records run at once as allowed.
  lockstepConsumer({
    ...common,
    order: 'key',
    maxConcurrency,
    onRecord: () => new Promise((resolve) => setImmediate(resolve)),
  });
const sixteenByKey = byKey(16);

/** The growth that docs/performance.md promises: none is worse than linear. */
export const GROWTH: readonly GrowthSeries[] = [
  {
    name: 'records per batch',
    of: 'records in one partition',
    xs: [10, 30, 100, 300, 1_000, 3_000, 10_000],
    at: (x) => ({ handler: inPartitionOrder, event: batchOf(x) }),
  },
  {
    name: 'records per batch, a gap after each',
    of: 'records in one partition, as compaction and transaction markers leave them',
    xs: [10, 30, 100, 300, 1_000, 3_000, 10_000],
    at: (x) => ({ handler: inPartitionOrder, event: batchOf(x, { step: 2 }) }),
  },
  {
    name: 'partitions per batch',
    of: `partitions of ${RECORDS_A_PARTITION} records each`,
    xs: [1, 3, 10, 30, 100, 300],
    at: (x) => ({ handler: inPartitionOrder, event: partitionsOf(x) }),
  },
  {
    name: 'blocked records',
    of: `keys that wait for their back-off, before ${RECORDS.toLocaleString('en')} records of other keys`,
    xs: [1, 3, 10, 30, 100, 190],
    at: (x) => ({ handler: sixteenByKey, event: behindBlockedRecords(x), progress: blockedBy(x) }),
  },
  {
    name: 'keys in flight',
    of: `records side by side, of ${RECORDS.toLocaleString('en')} of as many keys`,
    xs: [1, 3, 10, 30, 100, 300, 1_000],
    at: (x) => ({ handler: byKey(x), event: batchOf(RECORDS) }),
  },
  {
    name: 'size of settled',
    of: `settled ranges known before a batch of ${RECORDS.toLocaleString('en')}`,
    xs: [1, 3, 10, 30, 100, 300, 900],
    at: (x) => ({ handler: inPartitionOrder, event: batchOf(RECORDS), progress: withSettled(x) }),
  },
];

function rawAt(offset: number, partition = 0) {
  return record({ partition, offset, timestamp: TIMESTAMP, key: `key-${offset}`, value: { order: offset } });
}

function batchOf(records: number, { step = 1 } = {}): KafkaEvent {
  return kafkaEvent(Array.from({ length: records }, (_, index) => rawAt(START + index * step)));
}

function partitionsOf(partitions: number): KafkaEvent {
  return kafkaEvent(
    Array.from({ length: partitions * RECORDS_A_PARTITION }, (_, index) =>
      rawAt(START + (index % RECORDS_A_PARTITION), Math.floor(index / RECORDS_A_PARTITION)),
    ),
  );
}

function behindBlockedRecords(blockedRecords: number): KafkaEvent {
  return kafkaEvent(
    Array.from({ length: blockedRecords + RECORDS }, (_, index) => rawAt(START - blockedRecords + index)),
  );
}

function blockedBy(blockedRecords: number): Progress {
  const event = behindBlockedRecords(blockedRecords);
  const offsets = Object.values(event.records).flatMap((own) =>
    own.slice(0, blockedRecords).map(({ offset }) => offset),
  );
  return {
    ...FRESH_PROGRESS,
    pending: [{ from: START - blockedRecords, to: START - 1 }],
    blockedRecords: new Map(offsets.map((offset): [number, BlockedRecord] => [offset, blockedRecordAt(offset)])),
  };
}

function blockedRecordAt(offset: number): BlockedRecord {
  const known = { offset, timestamp: TIMESTAMP, valueHash: '', attempts: 1, interruptions: 0, exhausted: false };
  return { ...known, notBefore: Date.now() + FAR_AHEAD_MS };
}

/** Ranges with holes between them, as gaps between batches leave them. */
function withSettled(ranges: number): Progress {
  const settled = Array.from({ length: ranges }, (_, index) => {
    const from = START - 10 * (ranges - index);
    return { from, to: from + 7 };
  });
  return { ...FRESH_PROGRESS, settled, newestTimestamp: TIMESTAMP };
}
