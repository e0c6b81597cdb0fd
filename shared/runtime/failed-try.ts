import { summarizeError } from '../decide/error-summary.ts';
import { errorVerdict } from '../decide/error-verdict.ts';
import { fingerprint } from '../decide/fingerprint.ts';
import { decideFailure, type ErrorClass, type Failure, isBreakerOpen } from '../decide/retry-policy.ts';
import { blockedRecordOf, withBlockedRecord } from '../decide/settle.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { PartitionRun } from './partition-run.ts';
import type { Failed } from './ready-record.ts';
import { recordLog } from './record-log.ts';

/** Counts a failed try in the blocked record of its record, and says what follows. */
export function countFailure<V>(
  { session, ports, consumer, context }: PartitionRun<V>,
  record: DeliveredRecord,
  { error, stage, errorClass }: Failed,
  triesHere: number,
): Failure {
  const { retry, redact } = consumer.policy;
  const summary = summarizeError(error, stage, redact);
  const blocked = blockedRecordOf(session.progress, record);
  const breakerOpen = isBreakerOpen(session.progress.consecutiveDeadLetters, retry);
  const failure = decideFailure(
    {
      blocked,
      errorClass: errorClass ?? classify(error, retry.classify),
      error: summary,
      fingerprint: fingerprint(summary),
      triesHere,
      now: ports.clock.now(),
      random: ports.entropy.random(),
    },
    retry,
    breakerOpen,
  );
  session.update((progress) => withBlockedRecord(progress, failure.blocked));
  ports.telemetry.count('AttemptsFailed');
  recordLog(context.log, record, failure.blocked.attempts, context.requestId).warn('record failed', {
    stage,
    error: summary.name,
    text: summary.text,
    next: failure.next,
  });
  return failure;
}

function classify(error: unknown, own: ((error: unknown) => ErrorClass | undefined) | undefined): ErrorClass {
  try {
    const said = own?.(error);
    if (said === 'retryable' || said === 'nonRetryable') return said;
  } catch {
    // What cannot judge an error decides nothing: else the failure would count for nobody, and be met again for ever.
  }
  return errorVerdict(error).type === 'nonRetryable' ? 'nonRetryable' : 'retryable';
}
