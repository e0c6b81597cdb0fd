import type { RecordHeader } from '../record/record-headers.ts';
import { headerBytes } from './record-size.ts';

/** Under which a letter keeps headers that came with the record and bear a name of ours: they are data, and decide nothing. */
export const FOREIGN_PREFIX = 'x-foreign-';
/** In a letter whose record had so many of them that they keep their names: what counts are ours, which are the last. */
export const FOREIGN_KEPT_HEADER = 'x-foreign-headers';
/** By so much their new names may make a letter larger. */
const MOST_GROWTH_BYTES = 8_192;

/** Every name of our own: on letters, on what returns, on markers. */
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

/** Whether a header bears one of our names, Spring's or Connect's. */
export function isOwnName(name: string): boolean {
  return OWN_NAMES.has(name) || name.startsWith('kafka_dlt-') || name.startsWith('__connect.errors.');
}

/** A record's own headers as its letter keeps them. */
export interface KeptHeaders {
  readonly headers: readonly RecordHeader[];
  /** They kept their names: there are too many of them. */
  readonly areNamesKept: boolean;
  /** What their new names add, in bytes. */
  readonly growth: number;
}

/** Gives headers that bear our names another one. */
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

/** Gives them their names back, as the record had them. */
export function restoreForeign(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  return headers.map((header) =>
    header.name.startsWith(FOREIGN_PREFIX)
      ? { name: header.name.slice(FOREIGN_PREFIX.length), value: header.value }
      : header,
  );
}
