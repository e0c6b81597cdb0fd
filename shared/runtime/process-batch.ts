import { answerDelay } from '../decide/answer-delay.ts';
import { batchResponse, type KafkaBatchResponse } from '../decide/batch-response.ts';
import { LockstepError } from '../errors.ts';
import type { DeliveredEvent } from '../record/kafka-event.ts';
import type { Consumer, Ports } from './consumer.ts';
import type { Invocation } from './invocation.ts';
import { type Outcome, settles } from './outcome.ts';
import { type PartitionReport, processPartition } from './process-partition.ts';
import { refuseWhileOccupied } from './refuse-while-occupied.ts';

/** The answer to an event. `reports`: what became of each record, for tests. */
export interface BatchResult {
  readonly response: KafkaBatchResponse;
  readonly reports: readonly PartitionReport[];
}

/**
 * Processes an event: all its partitions side by side, then the answer. The answer waits for all partitions, but never past the
 * deadline.
 *
 * @throws LockstepError BATCH_INCOMPLETE with `failureMode: 'throw'` when records must be delivered again
 */
export async function processBatch<V>(
  consumer: Consumer<V>,
  event: DeliveredEvent,
  invocation: Invocation,
  ports: Ports,
): Promise<BatchResult> {
  const { clock, sandbox } = ports;
  refuseWhileOccupied(ports);
  invocation.onStall(() => sandbox.turnAway());
  try {
    const name = ports.entropy.id();
    const reports = await Promise.all(
      event.partitions.map((delivered, index) =>
        processPartition({ cluster: event.cluster, owner: `${name}.${index}`, delivered, consumer, ports, invocation }),
      ),
    );
    for (const report of reports) measure(report, ports);
    await Promise.all([ports.letters.disconnect(), ports.originals?.disconnect()]);
    const response = batchResponse(
      reports.map(({ delivered, firstUnsettled }) => ({
        identifier: delivered.identifier,
        records: delivered.records,
        firstUnsettled,
      })),
    );
    const delayMs = answerDelay(reports.map(toDelayInput), clock.now(), invocation.plan.abortAt, consumer.policy);
    // Even a timer of 0 ms takes a millisecond.
    if (delayMs > 0) await clock.sleep(delayMs);
    if (consumer.policy.failureMode === 'throw' && response.batchItemFailures.length > 0) {
      throw new LockstepError(
        'BATCH_INCOMPLETE',
        `${response.batchItemFailures.length} records of the batch must be delivered again`,
      );
    }
    return { response, reports };
  } finally {
    invocation.end();
  }
}

/** The metrics of alarms. A partition without a blocked record reports 0, so that its alarm ends. */
function measure({ outcomes, blockedSince }: PartitionReport, { telemetry, clock }: Ports): void {
  telemetry.count('BlockedRecordAgeMs', blockedSince === undefined ? 0 : Math.max(0, clock.now() - blockedSince));
  let duplicates = 0;
  let notAttempted = 0;
  for (const { type } of outcomes.values()) {
    if (type === 'duplicate') duplicates++;
    if (type === 'notAttempted') notAttempted++;
  }
  if (duplicates > 0) telemetry.count('RecordsDuplicate', duplicates);
  if (notAttempted > 0) telemetry.count('RecordsNotAttempted', notAttempted);
}

/** The values on which the delay of the answer depends. */
function toDelayInput({ firstUnsettled, outcomes }: PartitionReport): {
  halted: boolean;
  moved: boolean;
  wakeAt: number | undefined;
} {
  const all = [...outcomes.values()];
  return {
    halted: firstUnsettled !== undefined,
    moved: all.some((outcome) => settles(outcome) && outcome.type !== 'duplicate'),
    wakeAt: earliest(all),
  };
}

function earliest(outcomes: readonly Outcome[]): number | undefined {
  const times = outcomes.flatMap((outcome) => {
    if (outcome.type === 'retry') return outcome.notBefore ?? [];
    return outcome.type === 'notAttempted' ? (outcome.until ?? []) : [];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}
