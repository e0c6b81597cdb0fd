import { type DeadRecord, deadLetter, expiredLetter } from '../decide/dead-letter.ts';
import { giveUpOnTopicAt } from '../decide/deadline.ts';
import { stackOf } from '../decide/error-summary.ts';
import { withoutGoneMark } from '../decide/parking.ts';
import type { BlockedRecord } from '../decide/progress.ts';
import type { DeadLetter } from '../ports/dead-letter-publisher.ts';
import type { Log, LogFields } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';

/** Whether a dead letter was accepted. */
export type LetterFate = { readonly type: 'kept'; readonly id: string } | { readonly type: 'refused' };

/**
 * Sends the dead letter of an exhausted record to the dead-letter topic. If the topic refuses it, sends it to the fallback
 * queue, from which the relay takes it. If both refuse it, the record stays blocked.
 *
 * @param error - of the last try in this invocation; absent when an earlier invocation exhausted the record
 */
export async function sendLetter<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  blocked: BlockedRecord,
  error: unknown,
): Promise<LetterFate> {
  const { context } = run;
  const log = recordLog(context.log, record, blocked.attempts, context.requestId);
  let letter: DeadLetter;
  try {
    letter = await writeLetter(run, record, blocked, error, log);
  } catch (cause) {
    log.error(
      'the dead letter could not be written, because its secret or the original bytes could not be read; the record stays blocked',
      { error: cause },
    );
    return { type: 'refused' };
  }
  return keepLetter(run, letter, log);
}

/** Sends a letter to the topic, or else to the fallback queue. */
async function keepLetter<V>(
  { ports, invocation }: PartitionRun<V>,
  letter: DeadLetter,
  log: Log,
): Promise<LetterFate> {
  try {
    await ports.letters.publish(letter, giveUpOnTopicAt(invocation.plan, ports.clock.now()));
    log.warn('record dead-lettered', { deadLetterId: letter.id });
    return { type: 'kept', id: letter.id };
  } catch (refusal) {
    log.warn('the dead-letter topic refused a dead letter', { deadLetterId: letter.id, error: refusal });
  }
  try {
    await ports.fallback.send({ type: 'letter', letter });
    ports.telemetry.count('FallbackDeadLetters');
    log.warn('record dead-lettered to the fallback queue', { deadLetterId: letter.id });
    return { type: 'kept', id: letter.id };
  } catch (refusal) {
    log.error('the fallback queue refused the dead letter, too; the record stays blocked', {
      deadLetterId: letter.id,
      error: refusal,
    });
    return { type: 'refused' };
  }
}

async function writeLetter<V>(
  run: PartitionRun<V>,
  record: DeliveredRecord,
  blocked: BlockedRecord,
  error: unknown,
  log: Log,
): Promise<DeadLetter> {
  return deadLetter(await original(run, record, log), {
    ...(await noticeOf(run, blocked)),
    returned: run.context.returned.get(record.offset),
    stack: error === undefined ? '' : stackOf(error, run.consumer.policy.redact),
  });
}

async function noticeOf<V>({ ports, consumer, context }: PartitionRun<V>, blocked: BlockedRecord) {
  const { retry, deadLetterHeaders, maxDeadLetterBytes } = consumer.policy;
  return {
    cluster: context.cluster,
    group: context.group,
    secret: await ports.secret(),
    blocked,
    stack: '',
    maxAttempts: retry.maxAttempts,
    now: ports.clock.now(),
    requestId: context.requestId,
    names: deadLetterHeaders,
    maxBytes: maxDeadLetterBytes,
  };
}

/**
 * Sends letters without a value for parked records that Kafka holds no more: else their ordinals would be holes, and no release
 * would ever pass them. What no place takes now stays in the ledger for the next invocation.
 */
export async function sendGoneMarks<V>(run: PartitionRun<V>): Promise<void> {
  const { lease, context, delivered } = run;
  for (const mark of lease.progress.goneMarks ?? []) {
    if (lease.isOver) return;
    const { topic, partition } = delivered;
    const named = (fields?: LogFields): LogFields => ({ topic, partition, offset: mark.offset, ...fields });
    const { log: all } = context;
    const log: Log = {
      debug: (text, fields) => all.debug(text, named(fields)),
      info: (text, fields) => all.info(text, named(fields)),
      warn: (text, fields) => all.warn(text, named(fields)),
      error: (text, fields) => all.error(text, named(fields)),
    };
    const place = { topic, partition, offset: mark.offset };
    const letter = expiredLetter(place, mark, await noticeOf(run, mark));
    if ((await keepLetter(run, letter, log)).type === 'refused') return;
    lease.update((progress) => withoutGoneMark(progress, mark));
  }
}

/** The broker's bytes. Where the mapping decodes values with a schema registry, the event does not have them. */
async function original<V>(
  { ports, invocation }: PartitionRun<V>,
  record: DeliveredRecord,
  log: Log,
): Promise<DeadRecord> {
  const { topic, partition, offset, timestamp, timestampType, headers } = record;
  const place = { topic, partition, offset };
  const delivered = { ...place, timestamp, timestampType, headers, key: record.keyBytes, value: record.valueBytes };
  if (ports.originals === undefined) return delivered;
  const read = await ports.originals.read(place, giveUpOnTopicAt(invocation.plan, ports.clock.now()));
  // With another timestamp it is another record: the topic was recreated meanwhile.
  if (read.type === 'found' && read.record.timestamp === timestamp) return { ...place, timestampType, ...read.record };
  log.warn('Kafka does not hold the original bytes any more; the dead letter has the value that Lambda delivered', {
    found: read.type === 'found' ? 'another record' : read.type,
  });
  return delivered;
}
