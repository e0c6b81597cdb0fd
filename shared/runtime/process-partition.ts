import { type ClaimDecision, decideClaim } from '../decide/claim.ts';
import { DEFAULT_PARK_LIMITS } from '../decide/parking.ts';
import type { RecordIdentity } from '../decide/progress.ts';
import { withLetterLimit } from '../decide/retry-policy.ts';
import { LockstepError } from '../errors.ts';
import { StoreError } from '../ports/store-error.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { DeliveredPartition } from '../record/kafka-event.ts';
import { includesOffset, rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { claimPartition } from './claim-partition.ts';
import type { Consumer, Ports } from './consumer.ts';
import { sendGoneMarks } from './dead-letters.ts';
import { followVerdict } from './follow-verdict.ts';
import type { Invocation } from './invocation.ts';
import type { Lease } from './lease.ts';
import { openLease } from './open-lease.ts';
import type { NotAttemptedReason, Outcomes } from './outcome.ts';
import { ParkedKeysHere } from './parked-keys-here.ts';
import type { PartitionRun } from './partition-run.ts';
import { prepareKeys } from './prepare-keys.ts';
import { reportClaim, reportWaiting } from './report-claim.ts';
import { type ReturnedRecords, returnedRecords } from './returned-records.ts';
import { runPartition } from './run-partition.ts';
import { orderingUnit } from './schedule.ts';
import { settlingIn } from './settling.ts';

/** How a partition of an event ended. */
export interface PartitionReport {
  readonly delivered: DeliveredPartition;
  /** The first record that Lambda must deliver again; absent when all are settled. */
  readonly firstUnsettled?: number;
  readonly outcomes: Outcomes;
  /** When the oldest blocked record first failed; absent when none is blocked. */
  readonly blockedSince?: EpochMs;
}

/** A partition of an event, and what its run needs. */
export interface PartitionTask<V> {
  readonly cluster: string;
  /** The owner in the ledger. Each claim of each event has another one. */
  readonly owner: string;
  readonly delivered: DeliveredPartition;
  readonly consumer: Consumer<V>;
  readonly ports: Ports;
  readonly invocation: Invocation;
}

/** What the claim means for the batch. */
type Plan = Pick<ClaimDecision<DeliveredRecord>, 'verdict' | 'recreatedBy'>;

/** Claims a partition, runs the open records of its batch, commits, and says what must be delivered again. Never rejects. */
export async function processPartition<V>(task: PartitionTask<V>): Promise<PartitionReport> {
  const { ports, delivered } = task;
  const outcomes: Outcomes = new Map();
  try {
    return await Promise.race([claimAndRun(task, outcomes), tooLate(task, outcomes)]);
  } catch (error) {
    // This metric's alarm is for a table that refuses claims: then nothing runs.
    if (error instanceof StoreError) ports.telemetry.count('LedgerUnavailable');
    ports.telemetry.log.error('the partition failed; all its unsettled records are reported for redelivery', {
      topic: delivered.topic,
      partition: delivered.partition,
      error:
        error instanceof LockstepError
          ? error
          : new LockstepError('PARTITION_FAILED', `partition ${delivered.identifier} failed`, { cause: error }),
    });
    return whole(task, outcomes, 'unavailable');
  }
}

/** The answer never waits past the deadline. A partition that still runs then is reported whole. */
function tooLate<V>(task: PartitionTask<V>, outcomes: Outcomes): Promise<PartitionReport> {
  return new Promise((resolve) => {
    task.invocation.onAnswer(() => resolve(whole(task, outcomes, 'deadline')));
  });
}

async function claimAndRun<V>(task: PartitionTask<V>, outcomes: Outcomes): Promise<PartitionReport> {
  const { cluster, owner, delivered, consumer, ports, invocation } = task;
  const { topic, partition, records } = delivered;
  const { policy } = consumer;
  const place = { cluster, group: ports.group, topic, partition };
  const batch = { offsets: rangesOf(records.map(({ offset }) => offset)), ...identityOf(records[0]) };
  const claim = await claimPartition(place, owner, batch, ports, policy, invocation);
  if (claim.type === 'busy') {
    ports.telemetry.count('PartitionsBusy');
    ports.telemetry.log.info('another invocation holds the partition', {
      topic,
      partition,
      epoch: claim.item.epoch,
      leaseUntil: claim.item.leaseUntil,
    });
    return whole(task, outcomes, 'busy');
  }
  const known = withLetterLimit(claim.item.progress, policy.retry.maxConsecutiveDeadLetters);
  const plan = decideClaim({ ...claim.item, progress: known }, owner, records, ports.clock.now(), policy);
  reportClaim(task, plan);
  const { progress, toRedeliver, open } = plan;
  const returned = await returnedRecords(open, ports, invocation);
  const batchStart = records[0]?.offset ?? 0;
  const { item, leaseUntil } = claim;
  const start = { partition: place, owner, item, progress, toRedeliver, batchStart, leaseUntil };
  const { lease, context, close } = openLease(start, { cluster, returned }, invocation, ports, policy);
  const { park } = policy.retry;
  // What is parked stays so, whatever the options say now.
  const parks = park !== undefined || item.parked !== undefined;
  const run: PartitionRun<V> = {
    consumer,
    ports,
    invocation,
    partition: place,
    delivered,
    open,
    lease,
    context,
    unitOf: orderingUnit(policy.order),
    settlingOf: settlingIn(records, open),
    decoded: notForUs(returned, ports.group),
    failedTries: new Map(),
    ...(parks && { parkedKeys: new ParkedKeysHere(open, lease, item.parked ?? 0, park ?? DEFAULT_PARK_LIMITS) }),
  };
  try {
    const isBare = item.claims.at(-1)?.offsets.length === 0;
    const released = await runAndRelease(run, plan, outcomes, isBare);
    const report = released
      ? settledReport(run, outcomes)
      : whole(task, outcomes, lease.failure === undefined ? 'fenced' : 'unavailable');
    if (report.firstUnsettled !== undefined) reportWaiting(run, outcomes);
    return report;
  } finally {
    close();
  }
}

/** Runs the batch and releases the partition. `false`: the partition is lost, or kept because a handler still runs. */
async function runAndRelease<V>(
  run: PartitionRun<V>,
  { verdict, recreatedBy }: Plan,
  outcomes: Outcomes,
  isBare: boolean,
): Promise<boolean> {
  const { lease, delivered, open, ports, invocation, parkedKeys } = run;
  if (open.length < delivered.records.length) {
    const isOpen = new Set(open);
    for (const record of delivered.records) if (!isOpen.has(record)) outcomes.set(record.offset, { type: 'duplicate' });
  }
  // Written at once. A record of this batch that ends the process must not undo it each time, and a claim without offsets
  // protects none.
  if ((recreatedBy !== undefined || isBare) && (await lease.write()).type !== 'written') return false;
  const noAttempt = await followVerdict(run, verdict);
  if (noAttempt !== undefined)
    for (const { offset } of open) outcomes.set(offset, { type: 'notAttempted', ...noAttempt });
  await sendGoneMarks(run);
  if (noAttempt !== undefined || open.length === 0) return release(lease);
  await parkedKeys?.look(run.partition, ports, { ...ports, giveUpAt: invocation.plan.abortAt });
  const keys = await prepareKeys(run);
  const { stalled } = await runPartition({ ...run, ...(keys !== undefined && { keys }) }, outcomes);
  if (stalled) {
    // The handler still runs. Progress is written, and the lease is kept until the process must have ended.
    await lease.write();
    const what = `a record handler of ${delivered.identifier} was still running when the invocation had to answer`;
    lease.close(new LockstepError('HANDLER_NEVER_ENDED', what));
    return false;
  }
  if (!lease.isOver) await keys?.giveBackUnsettled();
  return release(lease);
}

async function release(lease: Lease): Promise<boolean> {
  return (await lease.write({ release: true })).type === 'written';
}

function settledReport<V>({ delivered, open, lease }: PartitionRun<V>, outcomes: Outcomes): PartitionReport {
  const { settled, blockedRecords } = lease.progress;
  const firstUnsettled = open.find(({ offset }) => !includesOffset(settled, offset))?.offset;
  const failures = [...blockedRecords.values()].flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  return {
    delivered,
    outcomes,
    ...(firstUnsettled !== undefined && { firstUnsettled }),
    ...(failures.length > 0 && { blockedSince: Math.min(...failures) }),
  };
}

/** Records that were written back for another group. Their content is not read. */
function notForUs<V>(returned: ReturnedRecords, group: string): PartitionRun<V>['decoded'] {
  const decoded: PartitionRun<V>['decoded'] = new Map();
  for (const [offset, record] of returned) if (record.group !== group) decoded.set(offset, { type: 'forOthers' });
  return decoded;
}

function identityOf(record: DeliveredRecord | undefined): { readonly first?: RecordIdentity } {
  if (record === undefined) return {};
  const { offset, timestamp, valueHash } = record;
  return { first: { offset, timestamp, valueHash } };
}

/** Reports the whole batch: nothing more is known than `outcomes`. */
function whole<V>({ delivered }: PartitionTask<V>, outcomes: Outcomes, reason: NotAttemptedReason): PartitionReport {
  for (const { offset } of delivered.records)
    if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason });
  const first = delivered.records[0]?.offset;
  return { delivered, outcomes, ...(first !== undefined && { firstUnsettled: first }) };
}
