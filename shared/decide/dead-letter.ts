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

/** A dead letter, ready to be produced: the record's own key, value, headers and timestamp, then our headers. */
export interface DeadLetter {
  /** The same for every copy of one dead letter. A record at the same offset of a recreated topic has another. */
  readonly id: string;
  /** Where the record was when it died. */
  readonly origin: Position;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** The record that gets a dead letter, with the broker's own bytes. */
export interface DeadRecord extends Position {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Iterable<RecordHeader>;
  readonly timestamp: EpochMs;
  /** `CREATE_TIME` or `LOG_APPEND_TIME`, where it is known. */
  readonly timestampType?: string | undefined;
}

/** What a dead letter says besides the record. */
export interface DeathNotice {
  readonly cluster: string;
  readonly group: string;
  readonly blocked: BlockedRecord;
  /** Redacted. Empty where no stack is known, as after a crash. */
  readonly stack: string;
  readonly maxAttempts: number;
  readonly now: EpochMs;
  readonly requestId: string;
  /** Which header names the dead letter has besides our own. */
  readonly names: readonly ('spring' | 'connect')[];
  /** The largest record that the dead-letter topic takes, in bytes. */
  readonly maxBytes: number;
  /** The stack's secret, with which the dead letter is signed. */
  readonly secret: Buffer;
  /** Present where Lockstep itself wrote the record: a redrive or a replay did. */
  readonly returned?: ReturnedRecord | undefined;
  /** Part of the id where the record's own time is not known. */
  readonly idSuffix?: string;
  /** More headers. */
  readonly more?: readonly RecordHeader[];
}

/** The signature, and the bytes of a header besides its text. */
const SIGNATURE_BYTES = headerBytes([{ name: SIGNATURE_HEADER, value: Buffer.alloc(43) }]);

/**
 * Where the cause lies: in the record itself (it cannot be decoded, or it ends the process), in the handler, which refused it,
 * or in something that the handler depends on.
 * https://cwiki.apache.org/confluence/display/KAFKA/KIP-1317:Mandatory+DLQ+Disposition+Header+for+Share+Groups
 */
export type Disposition = 'poison' | 'rejected' | 'systemic';

/**
 * The most bytes that we add to a record. The dead-letter topic must take that much more than its source. See
 * docs/architecture.md.
 */
export const LETTER_HEADROOM_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 2_048;
const MAX_STACK_BYTES = 16_384;

/**
 * Makes the dead letter of a record (docs/architecture.md): the record as it was, with headers that say where it came from, why
 * it is dead-lettered and how often it was tried, and with a signature that only Lockstep can make. Message and stack are cut,
 * so that the dead letter stays below `maxBytes` and our part below {@link LETTER_HEADROOM_BYTES}. A record that Lockstep wrote
 * back to its source keeps its first origin, and our headers are replaced, not added twice. Headers that others set under our
 * names are kept under another name.
 */
export function deadLetter(record: DeadRecord, notice: DeathNotice): DeadLetter {
  const { topic, partition, offset, key, value, timestamp } = record;
  const { returned, secret, maxBytes } = notice;
  const said = [...record.headers];
  const kept = keepForeign(returned === undefined ? said : headersBefore(said));
  const id = deadLetterId(notice.cluster, notice.group, record, notice.idSuffix);
  const added = (message: string, stack: string) => [
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
  const bare = headerBytes(added('', '')) + SIGNATURE_BYTES;
  // Each text is written once for each family of names. Its length may take two bytes more than that of an empty text.
  const copies = 1 + notice.names.length;
  const room = Math.min(left, LETTER_HEADROOM_BYTES - kept.growth) - bare - 4 * copies;
  const message = cutText(notice.blocked.error?.text ?? '', Math.min(MAX_MESSAGE_BYTES, room / copies));
  const rest = room - Buffer.byteLength(message) * copies;
  const stack = cutText(notice.stack, Math.min(MAX_STACK_BYTES, rest / copies));
  const headers = [...kept.headers, ...added(message, stack)];
  return {
    id,
    origin: { topic, partition, offset },
    key,
    value,
    headers: signedHeaders(secret, 'letter', notice.group, { key, value, headers }),
    timestamp,
  };
}

/** The dead letter of a record that Kafka does not hold any more. It has no key and no value, and what is known of the record. */
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

function addedHeaders(notice: DeathNotice, id: string, facts: DeadLetterFacts): RecordHeader[] {
  const { blocked, now, requestId, names, returned, more = [] } = notice;
  return [
    ...originHeaders(facts.origin),
    textHeader('x-consumer-group', facts.group),
    textHeader('x-retry-count', String(blocked.attempts)),
    textHeader('x-interruption-count', String(blocked.interruptions)),
    textHeader('x-error-name', facts.name),
    textHeader('x-error-message', facts.message),
    textHeader('x-error-stack', facts.stack),
    textHeader('x-error-fingerprint', blocked.fingerprint ?? ''),
    textHeader('x-stage', facts.stage),
    textHeader('x-disposition', dispositionOf(notice)),
    textHeader('x-first-failed-at', new Date(blocked.firstFailedAt ?? now).toISOString()),
    textHeader('x-dead-lettered-at', new Date(now).toISOString()),
    textHeader('x-request-id', requestId),
    textHeader('x-dead-letter-id', id),
    ...(returned === undefined ? [] : [textHeader(REDRIVE_COUNT_HEADER, String(returned.redriveCount))]),
    ...(blocked.parked === undefined ? [] : parkedHeaders(blocked.parked)),
    ...more,
    ...(names.includes('spring') ? springHeaders(facts) : []),
    ...(names.includes('connect') ? connectHeaders(facts) : []),
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
