import type { EpochMs } from '../record/units.ts';
import type { BlockedRecord, ParkedItem, Progress, RecordIdentity } from './progress.ts';
import { blockedRecordOf, MAX_BLOCKED_RECORDS, withBlockedRecord } from './settle.ts';

/** Records of one key that are marked at once. */
export const MOST_MARKS = 50;

/** How much may be parked. */
export interface ParkLimits {
  /** Records that wait in one key. */
  readonly maxPerKey: number;
  /** Parked keys of one partition. */
  readonly maxKeys: number;
}

/** @default of the options of these names */
export const DEFAULT_PARK_LIMITS: ParkLimits = { maxPerKey: 10_000, maxKeys: 1_000 };

/** What whoever parks has to know of a parked key. */
export interface ParkedKey extends Pick<ParkedItem, 'sequence' | 'tail'> {
  /** All ordinals up to it need no more work. */
  readonly settled: number;
}

/** Why a key parks. */
export type ParkedSince = Pick<ParkedItem, 'since' | 'behind' | 'fingerprint' | 'key'>;

/** Ordinals that are given out to records of one key, with the item of the key in the same transaction as their marks. */
export interface Park {
  /** Hash of the key. */
  readonly key: string;
  readonly sequence: string;
  /** The first and the last ordinal. The item must stand right before `from`. */
  readonly from: number;
  readonly to: number;
  /** Present where the key parks now: then there must be no item. */
  readonly created?: ParkedSince;
}

/** Marks for records of one key, in offset order: the ordinals that follow `tail`. None of them meets its handler any more. */
export function parkedMarks(
  progress: Progress,
  records: readonly RecordIdentity[],
  { sequence, tail }: Pick<ParkedKey, 'sequence' | 'tail'>,
  now: EpochMs,
): readonly BlockedRecord[] {
  return records.map((record, index) => {
    const { notBefore: _, ...blocked } = blockedRecordOf(progress, record);
    const place = { sequence, ordinal: tail + 1 + index };
    return { ...blocked, exhausted: true, parked: place, firstFailedAt: blocked.firstFailedAt ?? now };
  });
}

/** Progress with these marks, and with nobody in the handler of one of them. */
export function withMarks(progress: Progress, marks: readonly BlockedRecord[]): Progress {
  const { running, ...rest } = progress;
  const runs = running !== undefined && !marks.some(({ offset }) => offset === running.offset);
  return marks.reduce(withBlockedRecord, runs ? progress : rest);
}

/**
 * How many more records of a key may be marked now: the key's own limit, and the room in the partition's item.
 *
 * @param known - absent where the key is not parked yet
 * @param keys - parked keys of the partition
 * @param reserved - marks that are on their way to the ledger
 */
export function roomToPark(
  progress: Progress,
  known: ParkedKey | undefined,
  keys: number,
  reserved: number,
  { maxPerKey, maxKeys }: ParkLimits,
): number {
  if (known === undefined && keys >= maxKeys) return 0;
  const left = maxPerKey - (known === undefined ? 0 : known.tail - known.settled);
  return Math.max(0, Math.min(MOST_MARKS, left, MAX_BLOCKED_RECORDS - progress.blockedRecords.size - reserved));
}

/** All ordinals up to it need no more work. */
export function settledOrdinal({ settled }: Progress): number {
  const [first] = settled;
  return first !== undefined && first.from <= 1 ? first.to : 0;
}

/** What whoever parks knows of an item. */
export function parkedKeyIn({ sequence, tail, progress }: ParkedItem): ParkedKey {
  return { sequence, tail, settled: settledOrdinal(progress) };
}

/** Marks with a place in a parked key: a letter under their ordinal is due, whatever becomes of their records. */
export function marksAmong(blockedRecords: Iterable<BlockedRecord>): readonly BlockedRecord[] {
  return [...blockedRecords].filter(({ parked }) => parked !== undefined);
}

/** Progress in which these marks have no record any more. */
export function withGoneMarks(progress: Progress, gone: readonly BlockedRecord[]): Progress {
  if (gone.length === 0) return progress;
  const offsets = new Set(gone.map(({ offset }) => offset));
  return {
    ...progress,
    blockedRecords: new Map([...progress.blockedRecords].filter(([offset]) => !offsets.has(offset))),
    goneMarks: [...(progress.goneMarks ?? []), ...gone],
  };
}

/** Progress whose gone mark has its letter. */
export function withoutGoneMark(progress: Progress, { parked }: BlockedRecord): Progress {
  const { goneMarks = [], ...rest } = progress;
  const left = goneMarks.filter(
    (mark) => mark.parked?.ordinal !== parked?.ordinal || mark.parked?.sequence !== parked?.sequence,
  );
  return left.length === 0 ? rest : { ...rest, goneMarks: left };
}
