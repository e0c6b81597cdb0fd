import { deadLetter } from '../decide/dead-letter.ts';
import type { Head } from '../decide/progress.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';

/** Whether a letter is kept somewhere. */
export type LetterFate = { readonly type: 'kept'; readonly id: string } | { readonly type: 'refused' };

/**
 * Sends the letter of a marked record: to the dead-letter topic, else to the fallback queue, where the relay finds it. Refused
 * by both, the record stays where it is.
 *
 * @param error - of this invocation's last try; absent when an earlier one marked the record
 */
export async function sendLetter<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  head: Head,
  error: unknown,
): Promise<LetterFate> {
  const { ports, context, invocation } = run;
  const log = recordLog(context.log, record, head.attempts, context.requestId);
  let letter: DeadLetter;
  try {
    letter = await write(run, record, head, error);
  } catch (cause) {
    log.error('the original bytes could not be read back; the record stays the head', { error: cause });
    return { type: 'refused' };
  }
  try {
    await ports.letters.publish(letter, invocation.plan.stallAt);
    log.warn('record dead-lettered', { letterId: letter.id });
    return { type: 'kept', id: letter.id };
  } catch (refusal) {
    log.warn('the dead-letter topic refused a letter', { letterId: letter.id, error: refusal });
  }
  try {
    await ports.fallback.send({ type: 'letter', letter });
    ports.telemetry.count('FallbackLetters');
    log.warn('record dead-lettered to the fallback queue', { letterId: letter.id });
    return { type: 'kept', id: letter.id };
  } catch (refusal) {
    log.error('the fallback queue refused a letter too; the record stays the head', {
      letterId: letter.id,
      error: refusal,
    });
    return { type: 'refused' };
  }
}
