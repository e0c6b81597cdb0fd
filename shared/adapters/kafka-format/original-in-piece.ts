import type { OriginalRecord, OriginalRecordAt, OriginalSlice, PassingSlice } from '../../ports/original-reader.ts';
import type { OffsetRange } from '../../record/offset-ranges.ts';
import type { Offset } from '../../record/units.ts';
import { committedBatches } from './committed-batches.ts';
import type { FetchedPiece } from './fetched-piece.ts';
import { readRecords, unpackBatch } from './record-batch.ts';

/**
 * What an answer that was fetched from `offset` on says about that offset. `undefined`: nothing yet, for example when a broker
 * must first get the records from another storage tier and sends an empty answer meanwhile.
 */
export async function originalInPiece(piece: FetchedPiece, offset: Offset): Promise<OriginalRecord | undefined> {
  const { lastStable, batches } = piece;
  const reaching = batches.findIndex((batch) => batch.lastOffset >= offset);
  if (reaching < 0) return offset >= lastStable ? { type: 'absent' } : undefined;
  // Batches above it cannot contain it, and markers above it concern only those batches.
  const committed = committedBatches(batches.slice(0, reaching + 1), piece.aborted);
  const holder = committed.find((batch) => batch.firstOffset <= offset && batch.lastOffset >= offset);
  if (holder === undefined) return { type: 'absent' };
  const found = (await readRecords(holder)).find((candidate) => candidate.offset === offset);
  return found === undefined ? { type: 'absent' } : { type: 'found', record: found.record };
}

/** The beginning of a range, from an answer that was fetched from `range.from` on. `undefined` as above. */
export async function sliceOfPiece(piece: FetchedPiece, range: OffsetRange): Promise<OriginalSlice | undefined> {
  if (saysNothingYet(piece, range.from)) return undefined;
  const { logStart } = piece;
  const batches = piece.batches.filter((batch) => batch.lastOffset >= range.from);
  const reached = batches.at(-1)?.lastOffset ?? range.to;
  const within = committedBatches(batches, piece.aborted).filter((batch) => batch.firstOffset <= range.to);
  const records = (await Promise.all(within.map(readRecords)))
    .flat()
    .filter(({ offset }) => offset >= range.from && offset <= range.to);
  return { records, next: Math.min(reached, range.to) + 1, logStart };
}

/** Whether the answer for `offset` must be requested again, as above. */
export function saysNothingYet({ batches, lastStable }: FetchedPiece, offset: Offset): boolean {
  return offset < lastStable && !batches.some(({ lastOffset }) => lastOffset >= offset);
}

/** The beginning of a range, as above, one batch unpacked at a time. */
export async function* passPiece(piece: FetchedPiece, range: OffsetRange): AsyncGenerator<PassingSlice> {
  const batches = piece.batches.filter(({ lastOffset }) => lastOffset >= range.from);
  const reached = batches.at(-1)?.lastOffset ?? range.to;
  for (const batch of committedBatches(batches, piece.aborted)) {
    if (batch.firstOffset > range.to) break;
    const next = Math.min(batch.lastOffset, range.to) + 1;
    yield { records: within(range, await unpackBatch(batch)), next };
  }
  yield { records: [], next: Math.min(reached, range.to) + 1 };
}

function* within({ from, to }: OffsetRange, records: Iterable<OriginalRecordAt>): Generator<OriginalRecordAt> {
  for (const record of records) {
    if (record.offset > to) return;
    if (record.offset >= from) yield record;
  }
}
