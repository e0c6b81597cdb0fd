import { LockstepError } from '../errors.ts';
import { type Position, positionName } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import { cutText } from './cut-text.ts';
import { fingerprint } from './fingerprint.ts';
import { FOREIGN_KEPT_HEADER, keepForeign } from './foreign-headers.ts';
import {
  connectHeaders,
  type DeadLetterFacts,
  headersBefore,
  originHeaders,
  parkedHeaders,
  springHeaders,
  textHeader,
} from './letter-headers.ts';
import { deadLetterId } from './letter-id.ts';
import type { BlockedRecord, ErrorSummary, Stage } from './progress.ts';
import { headerBytes, recordBytes } from './record-size.ts';
import { REDRIVE_COUNT_HEADER, type ReturnedRecord } from './returned-record.ts';
import { SIGNATURE_HEADER, signedHeaders } from './signature.ts';

export { deadLetterId } from './letter-id.ts';

/** A dead letter, ready to be produced: the record's own key, value, headers and timestamp, and ours behind them. */
export interface DeadLetter {
  /** The same for every copy of one letter, another for a recreated topic's record. */
  readonly id: string;
  /** Where the record was when it died. */
  readonly origin: Position;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** The record that gets a letter, with the broker's own bytes. */
export interface DeadRecord extends Position {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Iterable<RecordHeader>;
  readonly timestamp: EpochMs;
  /** `CREATE_TIME` or `LOG_APPEND_TIME`, where it is known. */
  readonly timestampType?: string | undefined;
}

/** What a letter says besides the record. */
export interface DeathNotice {
  readonly cluster: string;
  readonly group: string;
  readonly blocked: BlockedRecord;
  /** Redacted; empty where no stack is known, as after a crash. */
  readonly stack: string;
  readonly maxAttempts: number;
  readonly now: EpochMs;
  readonly requestId: string;
  /** Header names beside our own. */
  readonly names: readonly ('spring' | 'connect')[];
  /** Most bytes that the dead-letter topic takes in one record. */
  readonly maxBytes: number;
  /** Of the stack: the letter is signed with it. */
  readonly secret: Buffer;
  /** Present where Lockstep itself wrote the record: it was redriven or replayed. */
  readonly returned?: ReturnedRecord | undefined;
  /** In the id, where nobody knows the record's own time. */
  readonly idSuffix?: string;
  /** What else there is to say. */
  readonly more?: readonly RecordHeader[];
}

/** The signature, and what a header takes beside its text. */
const SIGNATURE_BYTES = headerBytes([{ name: SIGNATURE_HEADER, value: Buffer.alloc(43) }]);

/**
 * Who is to blame: the record itself (it cannot be read, or kills the process), the handler that refused it, or what the
 * handler depends on.
 * https://cwiki.apache.org/confluence/display/KAFKA/KIP-1317:Mandatory+DLQ+Disposition+Header+for+Share+Groups
 */
export type Disposition = 'poison' | 'rejected' | 'systemic';

/** How many bytes we add to a record at most: the dead-letter topic takes that much more than its source. See docs/architecture.md. */
export const LETTER_HEADROOM_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 2_048;
const MAX_STACK_BYTES = 16_384;

/**
 * Writes a record's letter (docs/architecture.md): the record as it was, with headers that say where it came from, why it is here and
 * how often it was tried, and a signature that only Lockstep can make. Message and stack are cut so that the letter stays below
 * `maxBytes`, and what we add below {@link LETTER_HEADROOM_BYTES}. A record that Lockstep wrote back keeps its first origin, and
 * our headers are replaced, not added again. Headers that it has of others are kept, under another name where theirs is one of ours.
 */
export function deadLetter(record: DeadRecord, notice: DeathNotice): DeadLetter {
  const { topic, partition, offset, key, value, timestamp } = record;
  const { returned, secret, maxBytes } = notice;
  const said = [...record.headers];
  const kept = keepForeign(returned === undefined ? said : headersBefore(said));
  const id = deadLetterId(notice.cluster, notice.group, record, notice.idSuffix);
  const told = (message: string, stack: string) => [
    ...addedHeaders(notice, id, {
      origin: returned?.origin ?? { topic, partition, offset, timestamp },
      timestampType: record.timestampType,
      group: notice.group,
      name: notice.blocked.error?.name ?? (stageOf(notice.blocked) === 'parked' ? 'RECORD_PARKED' : 'Error'),
      stage: stageOf(notice.blocked),
      message,
      stack,
    }),
    ...(kept.areNamesKept ? [textHeader(FOREIGN_KEPT_HEADER, 'kept')] : []),
  ];
  const left = maxBytes - recordBytes({ key, value, headers: kept.headers });
  const bare = headerBytes(told('', '')) + SIGNATURE_BYTES;
  // Each text is written once for each family of names; its length may take two bytes more than that of an empty one.
  const copies = 1 + notice.names.length;
  const room = Math.min(left, LETTER_HEADROOM_BYTES - kept.growth) - bare - 4 * copies;
  const message = cutText(notice.blocked.error?.text ?? '', Math.min(MAX_MESSAGE_BYTES, room / copies));
  const rest = room - Buffer.byteLength(message) * copies;
  const stack = cutText(notice.stack, Math.min(MAX_STACK_BYTES, rest / copies));
  const headers = [...kept.headers, ...told(message, stack)];
  return {
    id,
    origin: { topic, partition, offset },
    key,
    value,
    headers: signedHeaders(secret, 'letter', notice.group, { key, value, headers }),
    timestamp,
  };
}

/** The letter of a record that Kafka holds no more: no key, no value, and what is known of it. */
export function expiredLetter(
  { topic, partition, offset }: Position,
  blocked: BlockedRecord,
  notice: Omit<DeathNotice, 'blocked'>,
  cause = 'its record vanished before its letter was sent',
): DeadLetter {
  const what = `${positionName({ topic, partition, offset })} is gone from Kafka: ${cause}`;
  const expired = new LockstepError('RECORD_EXPIRED', what);
  const error: ErrorSummary = { name: expired.code, text: expired.message, stage: 'unattempted' };
  const { timestamp } = blocked;
  return deadLetter(
    { topic, partition, offset, key: null, value: null, headers: [], timestamp },
    { ...notice, blocked: { ...blocked, error, fingerprint: fingerprint(error) } },
  );
}

function addedHeaders(notice: DeathNotice, id: string, told: DeadLetterFacts): RecordHeader[] {
  const { blocked, now, requestId, names, returned, more = [] } = notice;
  return [
    ...originHeaders(told.origin),
    textHeader('x-consumer-group', told.group),
    textHeader('x-retry-count', String(blocked.attempts)),
    textHeader('x-interruption-count', String(blocked.interruptions)),
    textHeader('x-error-name', told.name),
    textHeader('x-error-message', told.message),
    textHeader('x-error-stack', told.stack),
    textHeader('x-error-fingerprint', blocked.fingerprint ?? ''),
    textHeader('x-stage', told.stage),
    textHeader('x-disposition', dispositionOf(notice)),
    textHeader('x-first-failed-at', new Date(blocked.firstFailedAt ?? now).toISOString()),
    textHeader('x-dead-lettered-at', new Date(now).toISOString()),
    textHeader('x-request-id', requestId),
    textHeader('x-dead-letter-id', id),
    ...(returned === undefined ? [] : [textHeader(REDRIVE_COUNT_HEADER, String(returned.redriveCount))]),
    ...(blocked.parked === undefined ? [] : parkedHeaders(blocked.parked)),
    ...more,
    ...(names.includes('spring') ? springHeaders(told) : []),
    ...(names.includes('connect') ? connectHeaders(told) : []),
  ];
}

function stageOf({ error, interruptions, parked }: BlockedRecord): Stage {
  if (error !== undefined) return error.stage;
  if (interruptions > 0) return 'interrupted';
  return parked === undefined ? 'unattempted' : 'parked';
}

function dispositionOf({ blocked, maxAttempts }: DeathNotice): Disposition {
  switch (stageOf(blocked)) {
    case 'decode':
    case 'validate':
    case 'interrupted':
      return 'poison';
    case 'unattempted':
    case 'parked':
      return 'systemic';
    case 'idempotency':
    case 'handler':
      return blocked.attempts >= maxAttempts ? 'systemic' : 'rejected';
  }
}
