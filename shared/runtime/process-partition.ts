import { type ClaimDecision, decideClaim } from '../decide/claim.ts';
import type { Progress, RecordIdentity } from '../decide/progress.ts';
import { withLetterLimit } from '../decide/retry-policy.ts';
import { LockstepError } from '../errors.ts';
import { StoreError } from '../ports/store-error.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { DeliveredPartition } from '../record/kafka-event.ts';
import { includesOffset, rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { claimPartition } from './claim-partition.ts';
import type { Consumer, Ports } from './consumer.ts';
import { heldBy, reportClaim } from './held-batch.ts';
import type { Invocation } from './invocation.ts';
import { LateSignal } from './late-signal.ts';
import { LedgerSession } from './ledger-session.ts';
import type { NotAttemptedReason, Outcomes } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { prepareKeys } from './prepare-keys.ts';
import type { ContextShare } from './record-context.ts';
import { runRecords } from './run-records.ts';

/** How a partition's part of an event ended. */
export interface PartitionReport {
  readonly delivered: DeliveredPartition;
  /** The first record that Lambda must send again; absent when all are settled. */
  readonly firstUnsettled?: number;
  readonly outcomes: Outcomes;
  /** When the oldest of the records that block it first failed; absent when none does. */
  readonly blockedSince?: EpochMs;
}

/** What a partition is worked on with. */
export interface PartitionTask<V> {
  readonly cluster: string;
  /** Who holds the partition, in the ledger: a name of its own for each claim of each event. */
  readonly owner: string;
  readonly delivered: DeliveredPartition;
  readonly consumer: Consumer<V>;
  readonly ports: Ports;
  readonly invocation: Invocation;
}

/** Claims a partition, runs what of its batch is open, commits, and says what must come back. Never rejects. */
export async function processPartition<V>(task: PartitionTask<V>): Promise<PartitionReport> {
  const { ports, delivered } = task;
  const outcomes: Outcomes = new Map();
  try {
    return await Promise.race([claimAndRun(task, outcomes), tooLate(task, outcomes)]);
  } catch (error) {
    // A claim that the table refuses is what the alarm is for: nothing runs then.
    if (error instanceof StoreError) ports.telemetry.count('LedgerUnavailable');
    ports.telemetry.log.error('partition failed; all of it is reported', {
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

/** The answer waits for nobody past the deadline: what still hangs then is reported. */
function tooLate<V>(task: PartitionTask<V>, outcomes: Outcomes): Promise<PartitionReport> {
  return new Promise((resolve) => {
    task.invocation.onAnswer(() => resolve(whole(task, outcomes, 'deadline')));
  });
}

async function claimAndRun<V>(task: PartitionTask<V>, outcomes: Outcomes): Promise<PartitionReport> {
  const { cluster, owner, delivered, consumer, ports, invocation } = task;
  const { topic, partition, records } = delivered;
  const place = { cluster, group: ports.group, topic, partition };
  const claim = await claimPartition(
    place,
    owner,
    { offsets: rangesOf(records.map(({ offset }) => offset)), ...identityOf(records[0]) },
    ports,
    consumer.policy,
    invocation,
  );
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
  const { maxConsecutiveDeadLetters } = consumer.policy.retry;
  const item = { ...claim.item, progress: withLetterLimit(claim.item.progress, maxConsecutiveDeadLetters) };
  const decision = decideClaim(item, owner, records, ports.clock.now(), consumer.policy);
  const { verdict, interrupted, recreatedBy } = decision;
  if (verdict.type !== 'run' || interrupted !== undefined || recreatedBy !== undefined) reportClaim(task, decision);
  const session = new LedgerSession(
    {
      partition: place,
      owner,
      item: claim.item,
      progress: decision.progress,
      mustReturn: decision.mustReturn,
      batchStart: records[0]?.offset ?? 0,
      leaseUntil: claim.leaseUntil,
      invocation,
    },
    ports,
    consumer.policy,
  );
  const aborted = new LateSignal();
  const forgetAbort = invocation.onAbort(() => aborted.abort());
  session.lost.onAbort(() => aborted.abort());
  try {
    const context: ContextShare = {
      aborted,
      cluster,
      group: ports.group,
      epoch: session.epoch,
      deadline: invocation.plan.deadline,
      log: ports.telemetry.log,
      requestId: invocation.requestId,
    };
    const run: PartitionRun<V> = {
      consumer,
      ports,
      invocation,
      partition: place,
      delivered,
      open: decision.open,
      session,
      context,
      decoded: new Map(),
    };
    const released = await work(run, decision, outcomes);
    if (!released) return whole(task, outcomes, session.failure === undefined ? 'fenced' : 'unavailable');
    const firstUnsettled = decision.open.find(
      ({ offset }) => !includesOffset(session.progress.settled, offset),
    )?.offset;
    const blockedSince = oldestFailure(session.progress);
    return {
      delivered,
      outcomes,
      ...(firstUnsettled !== undefined && { firstUnsettled }),
      ...(blockedSince !== undefined && { blockedSince }),
    };
  } finally {
    forgetAbort();
    session.close();
  }
}

function identityOf(record: DeliveredRecord | undefined): { readonly first?: RecordIdentity } {
  if (record === undefined) return {};
  const { offset, timestamp, valueHash } = record;
  return { first: { offset, timestamp, valueHash } };
}

/** Runs what may run and gives the partition back. `false`: the partition is lost, or kept because a handler runs on. */
async function work<V>(
  run: PartitionRun<V>,
  decision: ClaimDecision<DeliveredRecord>,
  outcomes: Outcomes,
): Promise<boolean> {
  const { session, delivered, open } = run;
  if (open.length < delivered.records.length) {
    const isOpen = new Set(open);
    for (const record of delivered.records) if (!isOpen.has(record)) outcomes.set(record.offset, { type: 'duplicate' });
  }
  if (decision.recreatedBy !== undefined) {
    // At once: a record of this batch that kills the process must not undo it for ever.
    const restartProgress = await session.write();
    if (restartProgress.type !== 'written') return false;
  }
  const { verdict } = decision;
  const held = verdict.type === 'run' ? undefined : await heldBy(run, verdict);
  if (held !== undefined) {
    for (const { offset } of open) outcomes.set(offset, { type: 'notAttempted', ...held });
    return (await session.write({ release: true })).type === 'written';
  }
  if (open.length === 0) return (await session.write({ release: true })).type === 'written';
  const keys = await prepareKeys(run);
  const keyed = keys === undefined ? run : { ...run, keys };
  const { stalled } = await runRecords(keyed, outcomes);
  if (stalled) {
    // The handler runs on: what is known is written, and the lease is kept until the process must have ended.
    await session.write();
    session.close(
      new LockstepError(
        'HANDLER_NEVER_ENDED',
        `a record handler of ${delivered.identifier} was still running when the invocation had to answer`,
      ),
    );
    return false;
  }
  if (session.isOver) return false;
  await keys?.giveBackUnsettled();
  return (await session.write({ release: true })).type === 'written';
}

function oldestFailure({ blockedRecords }: Progress): EpochMs | undefined {
  const times = [...blockedRecords.values()].flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function whole<V>({ delivered }: PartitionTask<V>, outcomes: Outcomes, reason: NotAttemptedReason): PartitionReport {
  for (const { offset } of delivered.records)
    if (!outcomes.has(offset)) outcomes.set(offset, { type: 'notAttempted', reason });
  const first = delivered.records[0]?.offset;
  return { delivered, outcomes, ...(first !== undefined && { firstUnsettled: first }) };
}
