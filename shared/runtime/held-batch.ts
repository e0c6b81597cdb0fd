import { type ClaimDecision, describeOffsets, verdictOfPause } from '../decide/claim.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { NotAttemptedReason } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';
import { reportInheritance } from './report-inheritance.ts';

/** Says what a claim found beside records to run. */
export function reportClaim<V>(
  { ports, delivered, invocation }: Pick<PartitionRun<V>, 'ports' | 'delivered' | 'invocation'>,
  decision: ClaimDecision<DeliveredRecord>,
): void {
  const { verdict } = decision;
  const { telemetry } = ports;
  const { topic, partition } = delivered;
  reportInheritance(telemetry, delivered, decision, (offset, attempt) => {
    const record = delivered.records.find((one) => one.offset === offset);
    return record && recordLog(telemetry.log, record, attempt, invocation.requestId);
  });
  if (verdict.type === 'replayHalted') telemetry.count('ReplayHalted');
  if (verdict.type === 'replayHalted' && verdict.unclear !== undefined) {
    telemetry.log.error(
      'a known record came back with its time and another value: the partition stands still until an operator decides. If whatever delivers the records has changed their form, take it as a duplicate; if the topic was recreated and refilled with its old timestamps, reset the partition',
      { topic, partition, offset: verdict.unclear.offset },
    );
  } else if (verdict.type === 'replayHalted') {
    telemetry.log.error(
      'records from before memory came back: the partition stands still until an operator decides. `lockstep skip` takes them as duplicates, `lockstep replay` runs them again, `lockstep reset` forgets the partition',
      {
        topic,
        partition,
        offset: delivered.records[0]?.offset,
        // Newer than all that settled: the topic may have been recreated.
        ...(decision.progress.newestRefused !== undefined && { newestRefused: decision.progress.newestRefused }),
      },
    );
  }
  if (verdict.type === 'waiting') {
    telemetry.count('PartitionsWaitingForRecord');
    telemetry.log.warn('the batch overtook a retry and waits', { topic, partition, waitsFor: verdict.waitsFor });
  }
}

/** What keeps the whole batch from running, where the claim found anything that may. */
export async function heldBy<V>(
  { session, ports, delivered, consumer, partition: place }: PartitionRun<V>,
  verdict: Exclude<ClaimDecision<DeliveredRecord>['verdict'], { readonly type: 'run' }>,
): Promise<{ readonly reason: NotAttemptedReason; readonly until?: number } | undefined> {
  switch (verdict.type) {
    case 'replayHalted':
      return { reason: 'replay', until: ports.clock.now() + consumer.policy.blockedAnswerDelayMs };
    case 'waiting':
      return { reason: 'missingRecord' };
    case 'paused':
      return { reason: 'paused', until: verdict.until };
    case 'abandon': {
      const { topic, partition } = delivered;
      const offsets = describeOffsets(verdict.offsets);
      try {
        await ports.fallback.send({ type: 'abandoned', partition: place, offsets: verdict.offsets });
      } catch (error) {
        ports.telemetry.log.error('the queue refused what is to be abandoned; the partition stays gated', {
          topic,
          partition,
          offsets,
          error,
        });
        return { reason: 'missingRecord' };
      }
      ports.telemetry.count('RecordsNotRedelivered');
      ports.telemetry.log.error('records that the mapping never sent again are left to the relay', {
        topic,
        partition,
        offsets,
      });
      session.update(() => verdict.progress);
      const pause = verdictOfPause(verdict.progress, ports.clock.now());
      return pause.type === 'paused' ? { reason: 'paused', until: pause.until } : undefined;
    }
  }
}
