import type { Position } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import { cutText } from './cut-text.ts';
import {
  connectHeaders,
  type DeadLetterFacts,
  ORIGIN_HEADERS,
  originHeaders,
  readOrigin,
  springHeaders,
  textHeader,
} from './letter-headers.ts';
import { deadLetterId } from './letter-id.ts';
import type { BlockedRecord, Stage } from './progress.ts';
import { headerBytes, recordBytes } from './record-size.ts';

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
}

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

/** Every name of our own. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  ...ORIGIN_HEADERS,
  'x-consumer-group',
  'x-retry-count',
  'x-interruption-count',
  'x-error-name',
  'x-error-message',
  'x-error-stack',
  'x-error-fingerprint',
  'x-stage',
  'x-disposition',
  'x-first-failed-at',
  'x-dead-lettered-at',
  'x-request-id',
  'x-dead-letter-id',
]);

/**
 * Writes the dead letter of a record (docs/architecture.md): the record as it was, with headers that say where it came from, why it is here and
 * how often it was tried. Message and stack are cut so that the letter stays below `maxBytes`, and what we add below
 * {@link LETTER_HEADROOM_BYTES}. A record that had a letter before keeps its first origin, and our headers are replaced, not
 * added again; headers that it has of others, though they bear our names, stay where they are.
 */
export function deadLetter(record: DeadRecord, notice: DeathNotice): DeadLetter {
  const { topic, partition, offset, key, value, timestamp } = record;
  const said = [...record.headers];
  const before = said.some(({ name }) => name === 'x-dead-letter-id');
  const kept = before ? said.filter(({ name }) => !isOurs(name)) : said;
  const told = (message: string, stack: string) =>
    addedHeaders(notice, deadLetterId(notice.cluster, notice.group, record), {
      origin: (before ? readOrigin(said) : undefined) ?? { topic, partition, offset, timestamp },
      timestampType: record.timestampType,
      group: notice.group,
      name: notice.blocked.error?.name ?? 'Error',
      stage: stageOf(notice.blocked),
      message,
      stack,
    });
  const left = notice.maxBytes - recordBytes({ key, value, headers: kept });
  const bare = headerBytes(told('', ''));
  // Each text is written once for each family of names; its length may take two bytes more than that of an empty one.
  const copies = 1 + notice.names.length;
  const room = Math.min(left, LETTER_HEADROOM_BYTES) - bare - 4 * copies;
  const message = cutText(notice.blocked.error?.text ?? '', Math.min(MAX_MESSAGE_BYTES, room / copies));
  const rest = room - Buffer.byteLength(message) * copies;
  const stack = cutText(notice.stack, Math.min(MAX_STACK_BYTES, rest / copies));
  return {
    id: deadLetterId(notice.cluster, notice.group, record),
    origin: { topic, partition, offset },
    key,
    value,
    headers: [...kept, ...told(message, stack)],
    timestamp,
  };
}

function addedHeaders(notice: DeathNotice, id: string, told: DeadLetterFacts): RecordHeader[] {
  const { blocked, now, requestId, names } = notice;
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
    ...(names.includes('spring') ? springHeaders(told) : []),
    ...(names.includes('connect') ? connectHeaders(told) : []),
  ];
}

/** Whether a header of a letter bears one of our names, Spring's or Connect's. */
export function isOurs(name: string): boolean {
  return OWN_NAMES.has(name) || name.startsWith('kafka_dlt-') || name.startsWith('__connect.errors.');
}

function stageOf({ error, interruptions }: BlockedRecord): Stage {
  if (error !== undefined) return error.stage;
  return interruptions > 0 ? 'interrupted' : 'unattempted';
}

function dispositionOf({ blocked, maxAttempts }: DeathNotice): Disposition {
  switch (stageOf(blocked)) {
    case 'decode':
    case 'validate':
    case 'interrupted':
      return 'poison';
    case 'unattempted':
      return 'systemic';
    case 'idempotency':
    case 'handler':
      return blocked.attempts >= maxAttempts ? 'systemic' : 'rejected';
  }
}
