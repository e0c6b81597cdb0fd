import type { OriginalRecord, OriginalSlice } from '../ports/original-reader.ts';
import type { OffsetRange } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';
import { committedBatches } from './committed-batches.ts';
import type { FetchedPiece } from './fetched-piece.ts';
import { readRecords } from './record-batch.ts';

/**
 * What a piece that was fetched from `offset` on says about that offset. `undefined`: nothing yet, as when a broker has to get
 * the records from another tier first and gives an empty piece meanwhile.
 */
export async function originalInPiece(piece: FetchedPiece, offset: Offset): Promise<OriginalRecord | undefined> {
  const { lastStable, batches } = piece;
  const reaching = batches.findIndex((batch) => batch.lastOffset >= offset);
  if (reaching < 0) return offset >= lastStable ? { type: 'absent' } : undefined;
  // Batches above it cannot hold it, and markers above it are named only because of them.
  const committed = committedBatches(batches.slice(0, reaching + 1), piece.aborted);
  const holder = committed.find((batch) => batch.firstOffset <= offset && batch.lastOffset >= offset);
  if (holder === undefined) return { type: 'absent' };
  const found = (await readRecords(holder)).find((candidate) => candidate.offset === offset);
  return found === undefined ? { type: 'absent' } : { type: 'found', record: found.record };
}

/** The beginning of a range, from a piece that was fetched from `range.from` on. `undefined` as above. */
export async function sliceOfPiece(piece: FetchedPiece, range: OffsetRange): Promise<OriginalSlice | undefined> {
  const { lastStable, logStart } = piece;
  const batches = piece.batches.filter((batch) => batch.lastOffset >= range.from);
  const reached = batches.at(-1)?.lastOffset;
  if (reached === undefined) {
    return range.from >= lastStable ? { records: [], next: range.to + 1, logStart } : undefined;
  }
  const within = committedBatches(batches, piece.aborted).filter((batch) => batch.firstOffset <= range.to);
  const records = (await Promise.all(within.map(readRecords)))
    .flat()
    .filter(({ offset }) => offset >= range.from && offset <= range.to);
  return { records, next: Math.min(reached, range.to) + 1, logStart };
}
