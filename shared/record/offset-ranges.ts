import type { Offset } from './units.ts';

/** Offsets from `from` to `to`, both included. */
export interface OffsetRange {
  readonly from: Offset;
  readonly to: Offset;
}

/**
 * A set of offsets as ranges in ascending order that neither touch nor overlap. Immutable: every function returns a new set.
 */
export type OffsetRanges = readonly OffsetRange[];

/** The empty set. */
export const NO_OFFSETS: OffsetRanges = [];

/** The set of `offsets`, given in ascending order. */
export function rangesOf(offsets: Iterable<Offset>): OffsetRanges {
  const ranges: { from: Offset; to: Offset }[] = [];
  let last: { from: Offset; to: Offset } | undefined;
  for (const offset of offsets) {
    if (last !== undefined && offset === last.to + 1) last.to = offset;
    else {
      last = { from: offset, to: offset };
      ranges.push(last);
    }
  }
  return ranges;
}

/** Index of the first range that ends at or after `offset`: only that one can contain it. */
function firstEndingAtOrAfter(ranges: OffsetRanges, offset: Offset): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as OffsetRange).to < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether `offset` is in the set. O(log n). */
export function includesOffset(ranges: OffsetRanges, offset: Offset): boolean {
  const range = ranges[firstEndingAtOrAfter(ranges, offset)];
  return range !== undefined && range.from <= offset;
}

/** Offsets that are in either set. O(n + m). */
export function union(a: OffsetRanges, b: OffsetRanges): OffsetRanges {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: { from: Offset; to: Offset }[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    const next = y === undefined || (x !== undefined && x.from <= y.from) ? x : y;
    if (next === x) i++;
    else j++;
    const { from, to } = next as OffsetRange;
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** Offsets that are in `a` and not in `b`. O(n + m). */
export function subtract(a: OffsetRanges, b: OffsetRanges): OffsetRanges {
  if (b.length === 0) return a;
  const rest: OffsetRange[] = [];
  let j = 0;
  for (const range of a) {
    let from = range.from;
    for (let cut = b[j]; cut !== undefined && cut.from <= range.to; cut = b[++j]) {
      if (cut.from > from) rest.push({ from, to: cut.from - 1 });
      from = Math.max(from, cut.to + 1);
      // It may reach into the next range.
      if (cut.to > range.to) break;
    }
    if (from <= range.to) rest.push({ from, to: range.to });
  }
  return rest;
}

/** Offsets that are in both sets. */
export function intersect(a: OffsetRanges, b: OffsetRanges): OffsetRanges {
  return subtract(a, subtract(a, b));
}

/** Offsets of the set at or above `offset`. */
export function atOrAbove(ranges: OffsetRanges, offset: Offset): OffsetRanges {
  const start = firstEndingAtOrAfter(ranges, offset);
  const first = ranges[start];
  if (first === undefined) return NO_OFFSETS;
  return [{ from: Math.max(first.from, offset), to: first.to }, ...ranges.slice(start + 1)];
}

/** Offsets of the set below `offset`. */
export function below(ranges: OffsetRanges, offset: Offset): OffsetRanges {
  const end = firstEndingAtOrAfter(ranges, offset);
  const cut = ranges[end];
  const whole = ranges.slice(0, end);
  return cut !== undefined && cut.from < offset ? [...whole, { from: cut.from, to: offset - 1 }] : whole;
}

/** The lowest offset; `undefined` of an empty set. */
export function lowest(ranges: OffsetRanges): Offset | undefined {
  return ranges[0]?.from;
}

/** The highest offset; `undefined` of an empty set. */
export function highest(ranges: OffsetRanges): Offset | undefined {
  return ranges.at(-1)?.to;
}

/** How many offsets the set has. */
export function countOffsets(ranges: OffsetRanges): number {
  let count = 0;
  for (const { from, to } of ranges) count += to - from + 1;
  return count;
}

/** Every offset in ascending order. For small sets: it yields each single offset. */
export function* eachOffset(ranges: OffsetRanges): Generator<Offset> {
  for (const { from, to } of ranges) for (let offset = from; offset <= to; offset++) yield offset;
}

/**
 * Compact text, delta-coded in base 36. For each range: the distance from the end of the one before (the first: from 0); then,
 * unless the range has one offset, `+` and its length less one. `[1042–1141, 1143]` → `sy+2r,2`.
 */
export function encodeRanges(ranges: OffsetRanges): string {
  let previous = 0;
  const parts: string[] = [];
  for (const { from, to } of ranges) {
    parts.push((from - previous).toString(36) + (to > from ? `+${(to - from).toString(36)}` : ''));
    previous = to;
  }
  return parts.join(',');
}

/** Reads {@link encodeRanges} back. @throws SyntaxError for anything else */
export function decodeRanges(text: string): OffsetRanges {
  if (text === '') return NO_OFFSETS;
  let previous = 0;
  return text.split(',').map((part) => {
    const found = /^([0-9a-z]+)(?:\+([0-9a-z]+))?$/.exec(part);
    if (found === null) throw new SyntaxError(`"${part}" is not an encoded offset range`);
    const from = previous + Number.parseInt(found[1] as string, 36);
    previous = from + (found[2] === undefined ? 0 : Number.parseInt(found[2], 36));
    return { from, to: previous };
  });
}
