import { describeOffsets } from '../decide/claim.ts';
import {
  blockedSince,
  decideOperationsClaim,
  isHalted,
  lostForGood,
  type RelayCause,
  stopWaiting,
} from '../decide/relay.ts';
import { abandon as leaveToRelay } from '../decide/settle.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import { claimPartition } from '../runtime/claim-partition.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { reportTakeover } from '../runtime/report-claim.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';
import { relayRange } from './relay-range.ts';
import { type DueKey, lookAtParked, PARKED_METRICS, releaseDue } from './sweep-parked.ts';

/** The letters of records that exist no longer do not wait for a batch, which may never come. They carry errors of their own. */
const GONE: RelayCause = { code: 'RECORD_ABANDONED', text: 'Kafka holds the record no more' };

/**
 * Checks the ledger on a schedule: reports how long blocked records have blocked and which partitions wait for an operator, even
 * when no batch comes, puts offsets that Lambda has lost for good into the fallback queue, and sends the letters of parked records
 * that exist no longer.
 *
 * @throws when ledger, broker or queue cannot be reached in time; partitions that were checked by then are done
 */
export async function sweep(ports: RelayPorts, policy: RelayPolicy, invocation: Invocation): Promise<void> {
  const { cluster, group, topic, ledger, log, clock, telemetry } = ports;
  const bounds = await log.bounds(topic, invocation.plan.stallAt);
  const committed = await log.committed(group, topic, invocation.plan.stallAt);
  telemetry.count('BlockedRecordAgeMs', 0);
  const due: DueKey[] = [];
  if (policy.park !== undefined) for (const metric of PARKED_METRICS) telemetry.count(metric, 0);
  for (const { partition } of bounds) {
    const place = { cluster, group, topic, partition };
    const item = await ledger.read(place);
    if (item === undefined) continue;
    due.push(...(await lookAtParked(place, item, ports, policy)));
    if (isHalted(item.progress)) telemetry.count('PartitionsHalted');
    const since = blockedSince(item.progress);
    if (since !== undefined) telemetry.count('BlockedRecordAgeMs', Math.max(0, clock.now() - since));
    if ((item.progress.goneMarks ?? []).length > 0)
      await relayRange({ partition: place, offsets: NO_OFFSETS, cause: GONE }, ports, policy, invocation);
    const upTo = committed.get(partition);
    if (upTo === undefined || lostForGood(item, upTo, clock.now(), policy.missingRecordTimeoutMs).length === 0)
      continue;
    await abandon(place, upTo, ports, policy, invocation);
  }
  if (due.length > 0) await releaseDue(due, ports, invocation);
  telemetry.count('LedgerChecks');
}

/** Works under a claim of its own. Lost offsets are removed from the pending ones once the queue has accepted them. */
async function abandon(
  partition: LedgerPartition,
  committed: Offset,
  ports: RelayPorts,
  policy: RelayPolicy,
  invocation: Invocation,
): Promise<void> {
  const { ledger, fallback, clock, telemetry } = ports;
  const before = await ledger.read(partition);
  const owner = `relay-${ports.entropy.id()}`;
  const claim = await claimPartition(partition, owner, { offsets: NO_OFFSETS }, ports, policy, invocation);
  if (claim.type === 'busy' || before === undefined) return;
  // Claimed by an invocation since it was read: then Lambda has delivered something again.
  const isUntouched = claim.item.epoch === before.epoch + 1;
  const lost = isUntouched ? lostForGood(before, committed, clock.now(), policy.missingRecordTimeoutMs) : NO_OFFSETS;
  const found = decideOperationsClaim(claim.item, owner, clock.now(), policy);
  reportTakeover(telemetry, partition, found);
  if (lost.length > 0) {
    await fallback.send({ type: 'abandoned', partition, offsets: lost });
    telemetry.count('RecordsNotRedelivered');
    telemetry.log.error('records that Lambda did not deliver again were queued for the relay', {
      topic: partition.topic,
      partition: partition.partition,
      offsets: describeOffsets(lost),
    });
  }
  const { epoch, rev } = claim.item;
  await ledger.write({
    partition,
    owner,
    epoch,
    rev,
    progress: lost.length === 0 ? stopWaiting(found.progress) : stopWaiting(leaveToRelay(found.progress, lost)),
    leaseUntil: claim.leaseUntil,
    claimed: NO_OFFSETS,
    release: true,
  });
}
