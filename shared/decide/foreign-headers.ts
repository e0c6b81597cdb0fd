import type { RecordHeader } from '../record/record-headers.ts';
import { headerBytes } from './record-size.ts';

/**
 * The prefix under which a dead letter keeps headers of the record that have one of our names. They are data and decide
 * nothing.
 */
export const FOREIGN_PREFIX = 'x-foreign-';
/**
 * Marks a dead letter whose record had so many of those headers that they keep their names. Ours are the last ones, and only
 * those count.
 */
export const FOREIGN_KEPT_HEADER = 'x-foreign-headers';
/** How many bytes the new names may add to a dead letter. */
const MOST_GROWTH_BYTES = 8_192;

/** Every header name of our own: on dead letters, on redriven and replayed records, on markers. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-original-last-offset',
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
  'x-redrive-count',
  'x-doubtful',
  'x-parked-sequence',
  'x-parked-ordinal',
  'x-replay-of',
  'x-lockstep-for',
  'x-lockstep-marker',
  'x-lockstep-signature',
]);

/** Whether a header has one of our names, Spring's or Connect's. */
export function isOwnName(name: string): boolean {
  return OWN_NAMES.has(name) || name.startsWith('kafka_dlt-') || name.startsWith('__connect.errors.');
}

/** A record's own headers as its dead letter keeps them. */
export interface KeptHeaders {
  readonly headers: readonly RecordHeader[];
  /** There are too many headers to rename: they keep their names. */
  readonly areNamesKept: boolean;
  /** How many bytes the new names add. */
  readonly growth: number;
}

/** Renames headers that have one of our names. */
export function keepForeign(headers: readonly RecordHeader[]): KeptHeaders {
  const renamed = headers.map((header) =>
    isOwnName(header.name) || header.name.startsWith(FOREIGN_PREFIX)
      ? { name: `${FOREIGN_PREFIX}${header.name}`, value: header.value }
      : header,
  );
  const growth = headerBytes(renamed) - headerBytes(headers);
  return growth <= MOST_GROWTH_BYTES
    ? { headers: renamed, areNamesKept: false, growth }
    : { headers, areNamesKept: true, growth: 0 };
}

/** Undoes {@link keepForeign}: the headers get the names that the record had. */
export function restoreForeign(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.map((header) =>
    header.name.startsWith(FOREIGN_PREFIX)
      ? { name: header.name.slice(FOREIGN_PREFIX.length), value: header.value }
      : header,
  );
}
