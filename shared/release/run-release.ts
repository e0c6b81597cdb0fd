import type { KafkaBatchResponse } from '../decide/batch-response.ts';
import { settledOrdinal } from '../decide/parking.ts';
import { decideRelease } from '../decide/release.ts';
import { LockstepError } from '../errors.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import { partitionName } from '../record/item-identifier.ts';
import { rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import type { Consumer, Ports } from '../runtime/consumer.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { openLease } from '../runtime/open-lease.ts';
import { type Outcome, type Outcomes, settles } from '../runtime/outcome.ts';
import type { PartitionRun } from '../runtime/partition-run.ts';
import { prepareKeys } from '../runtime/prepare-keys.ts';
import type { PartitionReport } from '../runtime/process-partition.ts';
import { refuseWhileOccupied } from '../runtime/refuse-while-occupied.ts';
import { reportTakeover } from '../runtime/report-claim.ts';
import type { ReturnedRecords } from '../runtime/returned-records.ts';
import { runPartition } from '../runtime/run-partition.ts';
import { claimParked } from './claim-parked.ts';
import { type ReleasedRecord, type ReleaseEvent, releasedRecords } from './release-event.ts';

/**
 * How a release ended. `freed`: nothing waits in the key any more. `more`: more of it waits, and the next event brings it.
 * `halted`: a record stays parked. `missing`: the record that must come next did not come. `busy`: somebody holds the key or its
 * partition. `notParked`: the key is free, or was parked anew. `lost`: the function does not know.
 */
export type ReleaseEnd = 'freed' | 'more' | 'halted' | 'missing' | 'busy' | 'notParked' | 'lost';

/** The answer of a consumer function to a release. */
export interface ReleaseAnswer extends KafkaBatchResponse {
  readonly end: ReleaseEnd;
  /** Records of the event that need no more work. */
  readonly settled: number;
  /** Of those the ones that Kafka did not hold any more when their letters were written: lost. */
  readonly gone: number;
  /** The ordinal that comes next, where one does. */
  readonly next?: number;
  /** Why that one stays parked. */
  readonly why?: string;
  /** When it may be tried again. */
  readonly until?: EpochMs;
}

/** Told of the records that a release settled; their offsets are ordinals. */
type OnEnded = (report: PartitionReport) => void;

/**
 * Runs the records of a parked key again, in order, through the same lease, schedule, call and conclusion as a batch: a parked key
 * is a small partition, whose offsets are ordinals. It stops at the first record that is not settled; nothing is dead-lettered. When
 * nothing waits any more the key is free.
 *
 * @throws LockstepError SANDBOX_OCCUPIED; when the ledger cannot be reached
 */
export async function runRelease<V>(
  consumer: Consumer<V>,
  event: ReleaseEvent,
  invocation: Invocation,
  ports: Ports,
  ended: OnEnded = () => undefined,
): Promise<ReleaseAnswer> {
  const { sandbox } = ports;
  refuseWhileOccupied(ports);
  invocation.onStall(() => sandbox.turnAway());
  const tooLate = new Promise<ReleaseAnswer>((resolve) => {
    invocation.onAnswer(() => resolve(answer('lost')));
  });
  try {
    return await Promise.race([claimAndRun(releasing(consumer), event, invocation, ports, ended), tooLate]);
  } finally {
    invocation.end();
    await Promise.all([ports.letters.disconnect(), ports.originals?.disconnect()]);
  }
}

/** One key, in order; what fails waits: there is no number of tries after which it would be given up on. */
function releasing<V>(consumer: Consumer<V>): Consumer<V> {
  const { policy } = consumer;
  const { park: _, ...retry } = policy.retry;
  const never = Number.POSITIVE_INFINITY;
  return {
    ...consumer,
    policy: {
      ...policy,
      order: 'partition',
      retry: { ...retry, maxAttempts: never, maxInterruptions: never, maxConsecutiveDeadLetters: 0 },
    },
  };
}

async function claimAndRun<V>(
  consumer: Consumer<V>,
  event: ReleaseEvent,
  invocation: Invocation,
  ports: Ports,
  ended: OnEnded,
): Promise<ReleaseAnswer> {
  const { cluster, topic, partition, parkedKey, sequence } = event;
  const { policy } = consumer;
  const place: LedgerPartition = { cluster, group: ports.group, topic, partition, parkedKey };
  const records = releasedRecords(event, { secret: await ports.secret(), group: ports.group });
  const owner = ports.entropy.id();
  const ordinals = rangesOf(new Set(records.map(({ offset }) => offset).sort((a, b) => a - b)));
  const claim = await claimParked({ partition: place, sequence }, owner, ordinals, ports, policy, invocation);
  if (claim.type !== 'granted') return answer(claim.type);
  const { item, leaseUntil } = claim;
  const plan = decideRelease(item, owner, records, ports.clock.now());
  reportTakeover(ports.telemetry, place, {
    progress: plan.progress,
    ...(plan.interrupted && { interrupted: plan.interrupted }),
  });
  const { open, progress, toRedeliver } = plan;
  const batchStart = open[0]?.offset ?? 0;
  const start = { partition: place, owner, item, progress, toRedeliver, batchStart, sequence, leaseUntil };
  const returned: ReturnedRecords = new Map(
    open.map((record) => [record.offset, { origin: originOf(record), group: ports.group, redriveCount: 0 }]),
  );
  const { lease, context, close } = openLease(start, { cluster, returned }, invocation, ports, policy);
  const run: PartitionRun<V> = {
    consumer,
    ports,
    invocation,
    partition: place,
    delivered: { identifier: partitionName(place), topic, partition, records: open },
    open,
    lease,
    context,
    unitOf: () => '',
    settlingOf: (record, outcome) => ({ record, from: record.offset, firstOfBatch: false, outcome }),
    decoded: new Map(open.flatMap(({ offset, isGone }) => (isGone ? [[offset, { type: 'gone' }] as const] : []))),
    failedTries: new Map(),
  };
  try {
    return await runAndEnd(run, open, item.tail, ended);
  } finally {
    close();
  }
}

async function runAndEnd<V>(
  run: PartitionRun<V>,
  open: readonly ReleasedRecord[],
  tail: number,
  ended: OnEnded,
): Promise<ReleaseAnswer> {
  const { lease, ports } = run;
  const outcomes: Outcomes = new Map();
  // At once: what a dead release left behind must not be found dead again, and a claim beyond the item's room holds no ordinals.
  if ((await lease.write()).type !== 'written') return answer('lost');
  if (open.length > 0) {
    const keys = await prepareKeys(run);
    const { stalled } = await runPartition({ ...run, ...(keys !== undefined && { keys }) }, outcomes);
    if (stalled) {
      await lease.write();
      lease.close(
        new LockstepError('HANDLER_NEVER_ENDED', `a released record of ${run.delivered.identifier} still runs`),
      );
      return answer('lost');
    }
    if (!lease.isOver) await keys?.giveBackUnsettled();
  }
  const settled = settledOrdinal(lease.progress);
  const freed = settled >= tail ? (await lease.free(settled)).type : 'cancelled';
  // A write that overtook the one that was to free the key has given it back.
  const isGivenBack =
    freed === 'written' ||
    (freed === 'cancelled' && (lease.isOver || (await lease.write({ release: true })).type === 'written'));
  if (!isGivenBack || lease.failure !== undefined) return answer('lost');
  const done = open.filter(({ offset }) => offset <= settled);
  const gone = done.filter(({ isGone }) => isGone);
  for (const { position, offset } of gone)
    ports.telemetry.log.error('a parked record is lost: Kafka did not hold it any more when its letter was written', {
      position,
      ordinal: offset,
    });
  ended({ delivered: run.delivered, outcomes: new Map([...outcomes].filter(([offset]) => offset <= settled)) });
  const told = { settled: done.length, gone: gone.length };
  if (freed === 'written') return answer('freed', told);
  const next = { ...told, next: settled + 1 };
  const outcome = outcomes.get(settled + 1);
  if (outcome !== undefined && !settles(outcome)) return answer('halted', { ...next, ...reasonOf(outcome) });
  return answer(open.length === 0 && settled < tail ? 'missing' : 'more', next);
}

function reasonOf(outcome: Outcome): Pick<ReleaseAnswer, 'why' | 'until'> {
  if (outcome.type === 'retry')
    return { why: 'it failed', ...(outcome.notBefore !== undefined && { until: outcome.notBefore }) };
  if (outcome.type !== 'notAttempted') return {};
  return { why: outcome.reason, ...(outcome.until !== undefined && { until: outcome.until }) };
}

function originOf({ topic, partition, kafkaOffset, timestamp }: ReleasedRecord) {
  return { topic, partition, offset: kafkaOffset, timestamp };
}

function answer(end: ReleaseEnd, told: Partial<ReleaseAnswer> = {}): ReleaseAnswer {
  return { batchItemFailures: [], end, settled: 0, gone: 0, ...told };
}
