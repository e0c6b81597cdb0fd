import { type Position, positionName } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs } from '../record/units.ts';
import { connectHeaders, headerBytes, springHeaders, textHeader } from './letter-headers.ts';
import type { Head, Stage } from './progress.ts';

/** A dead letter, ready to be produced: the record's own key, value, headers and timestamp, and ours behind them. */
export interface DeadLetter {
  /** The same for every copy of one letter, another for a recreated topic's record. */
  readonly id: string;
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
}

/** What a letter says besides the record. */
export interface DeathNotice {
  readonly cluster: string;
  readonly group: string;
  readonly head: Head;
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

/** Who is to blame: the record itself, the handler that refused it, or what the handler depends on. After KIP-1317. */
export type Disposition = 'poison' | 'rejected' | 'systemic' | 'unattempted';

/** Room for what the record's format adds: a batch header, lengths, checksums. */
const FORMAT_BYTES = 512;
const MAX_MESSAGE_BYTES = 2_048;
const MAX_STACK_BYTES = 16_384;

/**
 * Writes a record's letter. DESIGN section 9: the record as it was, with headers that say where it came from, why it is here and
 * how often it was tried. Message and stack are cut so that the letter fits. A record that was dead-lettered before keeps its
 * first origin, and our headers are replaced, not added again.
 */
export function deadLetter(record: DeadRecord, notice: DeathNotice): DeadLetter {
  const id = letterId(notice.cluster, notice.group, record);
  const said = [...record.headers];
  const own = ownHeaders(record, notice, id, said);
  const error = notice.head.error;
  const taken = new Set([...own.map(({ name }) => name), 'x-error-message', 'x-error-stack']);
  const kept = said.filter(({ name }) => !taken.has(name) && !isAlias(name));
  let room =
    notice.maxBytes -
    FORMAT_BYTES -
    (record.key?.length ?? 0) -
    (record.value?.length ?? 0) -
    headerBytes([...kept, ...own]);
  // Aliases repeat message and stack: each text has to fit as often as it is written.
  const copies = 1 + notice.names.length;
  const message = cut(error?.text ?? '', Math.min(MAX_MESSAGE_BYTES, room / copies));
  room -= Buffer.byteLength(message) * copies;
  const stack = cut(notice.stack, Math.min(MAX_STACK_BYTES, room / copies));
  const headers = [...kept, ...own, textHeader('x-error-message', message), textHeader('x-error-stack', stack)];
  const told = {
    record,
    group: notice.group,
    name: error?.name ?? 'Error',
    stage: stageOf(notice.head),
    message,
    stack,
  };
  if (notice.names.includes('spring')) headers.push(...springHeaders(told));
  if (notice.names.includes('connect')) headers.push(...connectHeaders(told));
  const { topic, partition, offset } = record;
  return {
    id,
    origin: { topic, partition, offset },
    key: record.key,
    value: record.value,
    headers,
    timestamp: record.timestamp,
  };
}

/** Cluster, group, position and timestamp. */
export function letterId(cluster: string, group: string, record: Position & { readonly timestamp: EpochMs }): string {
  return `${cluster}/${group}/${positionName(record)}/${record.timestamp}`;
}

function ownHeaders(
  record: DeadRecord,
  notice: DeathNotice,
  id: string,
  said: readonly RecordHeader[],
): RecordHeader[] {
  const { head, group, now, requestId } = notice;
  return [
    ...originHeaders(record, said),
    textHeader('x-consumer-group', group),
    textHeader('x-retry-count', String(head.attempts)),
    textHeader('x-interruption-count', String(head.interruptions)),
    textHeader('x-error-name', cut(head.error?.name ?? 'Error', 256)),
    textHeader('x-error-fingerprint', head.fingerprint ?? ''),
    textHeader('x-stage', stageOf(head)),
    textHeader('x-disposition', dispositionOf(notice)),
    textHeader('x-first-failed-at', new Date(head.firstFailedAt ?? now).toISOString()),
    textHeader('x-dead-lettered-at', new Date(now).toISOString()),
    textHeader('x-request-id', requestId),
    textHeader('x-dead-letter-id', id),
  ];
}

/** Where the record was first: a letter that is dead-lettered again has it in its headers. */
function originHeaders(record: DeadRecord, said: readonly RecordHeader[]): RecordHeader[] {
  const names = ['x-original-topic', 'x-original-partition', 'x-original-offset', 'x-original-timestamp'];
  const before = names.map((name) => said.findLast((header) => header.name === name));
  if (before.every((header) => header !== undefined)) return before;
  const values = [record.topic, String(record.partition), String(record.offset), String(record.timestamp)];
  return names.map((name, index) => textHeader(name, values[index] ?? ''));
}

function stageOf({ error, interruptions }: Head): Stage {
  if (error !== undefined) return error.stage;
  return interruptions > 0 ? 'interrupted' : 'unattempted';
}

function dispositionOf({ head, maxAttempts }: DeathNotice): Disposition {
  switch (stageOf(head)) {
    case 'decode':
    case 'validate':
    case 'interrupted':
      return 'poison';
    case 'unattempted':
      return 'unattempted';
    case 'idempotency':
    case 'handler':
      return head.attempts >= maxAttempts ? 'systemic' : 'rejected';
  }
}

function isAlias(name: string): boolean {
  return name.startsWith('kafka_dlt-') || name.startsWith('__connect.errors.');
}

/** At most `bytes` of UTF-8, never in the middle of a character. */
function cut(text: string, bytes: number): string {
  const limit = Math.max(0, Math.floor(bytes));
  const whole = Buffer.from(text);
  if (whole.length <= limit) return text;
  let end = limit;
  // Bytes 10xxxxxx continue a character.
  while (end > 0 && ((whole[end] ?? 0) & 0xc0) === 0x80) end--;
  return whole.toString('utf8', 0, end);
}
