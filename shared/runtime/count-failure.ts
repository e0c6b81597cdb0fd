import { summarizeError } from '../decide/error-summary.ts';
import { errorVerdict } from '../decide/error-verdict.ts';
import { fingerprint } from '../decide/fingerprint.ts';
import { decideFailure, type ErrorClass, type Failure, isBreakerOpen } from '../decide/retry-policy.ts';
import { blockedRecordOf, withBlockedRecord } from '../decide/settle.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Failed } from './admit.ts';
import { mayPark } from './park.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';

/** Counts a failed try of a record in the ledger's progress, and says what follows. */
export function countFailure<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  { error, stage, errorClass }: Omit<Failed, 'type'>,
): Failure {
  const { lease, ports, consumer, context, failedTries } = run;
  const triesHere = (failedTries.get(record.offset) ?? 0) + 1;
  failedTries.set(record.offset, triesHere);
  const { retry, redact } = consumer.policy;
  const summary = summarizeError(error, stage, redact);
  const blocked = blockedRecordOf(lease.progress, record);
  const standsStill = isBreakerOpen(lease.progress.consecutiveDeadLetters, retry) || !mayPark(run, record);
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
    standsStill,
  );
  lease.update((progress) => withBlockedRecord(progress, failure.blocked));
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
    // An error of `classify` itself is ignored. Otherwise the failure would not be counted, and the record would fail for ever.
  }
  return errorVerdict(error).type === 'nonRetryable' ? 'nonRetryable' : 'retryable';
}
