import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  atOrAbove,
  below,
  countOffsets,
  decodeRanges,
  eachOffset,
  encodeRanges,
  highest,
  includesOffset,
  intersect,
  lowest,
  type OffsetRanges,
  rangesOf,
  subtract,
  union,
} from '../../../shared/record/offset-ranges.ts';

/** Small offsets, so that ranges often touch and overlap; as sets they are the model. */
const offsets = fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 40 }).map((list) => new Set(list));

function ranges(set: ReadonlySet<number>): OffsetRanges {
  return rangesOf([...set].sort((a, b) => a - b));
}

function listed(set: Iterable<number>): number[] {
  return [...set].sort((a, b) => a - b);
}

/** The offsets of a set; fails unless it is in its one normal form: ascending, neither touching nor overlapping. */
function offsetsOf(set: OffsetRanges): number[] {
  for (const [index, { from, to }] of set.entries()) {
    expect(from).toBeLessThanOrEqual(to);
    expect(from).toBeGreaterThan((set[index - 1]?.to ?? -2) + 1);
  }
  return [...eachOffset(set)];
}

describe('behaves as a set of offsets', () => {
  test('made of offsets', () => {
    fc.assert(
      fc.property(offsets, (a) => {
        expect(offsetsOf(ranges(a))).toEqual(listed(a));
      }),
    );
  });

  test('united, cut out of one another, intersected', () => {
    fc.assert(
      fc.property(offsets, offsets, (a, b) => {
        expect(offsetsOf(union(ranges(a), ranges(b)))).toEqual(listed(new Set([...a, ...b])));
        expect(offsetsOf(subtract(ranges(a), ranges(b)))).toEqual(listed([...a].filter((offset) => !b.has(offset))));
        expect(offsetsOf(intersect(ranges(a), ranges(b)))).toEqual(listed([...a].filter((offset) => b.has(offset))));
      }),
    );
  });

  test('united with the empty set, or cut by it, without a copy', () => {
    const some = ranges(new Set([1, 2, 5]));
    const none = ranges(new Set());

    expect(union(some, none)).toBe(some);
    expect(union(none, some)).toBe(some);
    expect(subtract(some, none)).toBe(some);
  });

  test('parted at an offset', () => {
    fc.assert(
      fc.property(offsets, fc.nat({ max: 70 }), (a, at) => {
        expect(offsetsOf(below(ranges(a), at))).toEqual(listed(a).filter((offset) => offset < at));
        expect(offsetsOf(atOrAbove(ranges(a), at))).toEqual(listed(a).filter((offset) => offset >= at));
      }),
    );
  });

  test('asked for its members, its ends and its size', () => {
    fc.assert(
      fc.property(offsets, fc.nat({ max: 70 }), (a, at) => {
        expect(includesOffset(ranges(a), at)).toBe(a.has(at));
        expect(lowest(ranges(a))).toBe(listed(a)[0]);
        expect(highest(ranges(a))).toBe(listed(a).at(-1));
        expect(countOffsets(ranges(a))).toBe(a.size);
      }),
    );
  });

  test('never changing the sets it was made of', () => {
    fc.assert(
      fc.property(offsets, offsets, (a, b) => {
        const [left, right] = [ranges(a), ranges(b)];
        for (const range of [...left, ...right]) Object.freeze(range);
        Object.freeze(left);
        Object.freeze(right);

        for (const set of [union(left, right), subtract(left, right), intersect(left, right)]) offsetsOf(set);

        expect([offsetsOf(left), offsetsOf(right)]).toEqual([listed(a), listed(b)]);
      }),
    );
  });
});

describe('as text', () => {
  test.each<[OffsetRanges, string]>([
    [[], ''],
    [[{ from: 0, to: 0 }], '0'],
    [[{ from: 7, to: 9 }], '7+2'],
    [
      [
        { from: 1_042, to: 1_141 },
        { from: 1_143, to: 1_143 },
      ],
      'sy+2r,2',
    ],
  ])('%j is %j', (set, text) => {
    expect(encodeRanges(set)).toBe(text);
    expect(decodeRanges(text)).toEqual(set);
  });

  test('reads back whatever it wrote, up to the largest offset', () => {
    const anyOffset = fc.maxSafeNat().filter((offset) => offset < Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(fc.uniqueArray(anyOffset, { maxLength: 30 }), (list) => {
        const set = rangesOf(
          list.toSorted((a, b) => a - b).flatMap((offset) => [offset, offset + 1].slice(offset % 2)),
        );

        expect(decodeRanges(encodeRanges(set))).toEqual(set);
      }),
    );
  });

  test.each(['a+', '+1', 'a,', ',a', 'a b', 'A', '-1', 'a+1+1'])('%j is refused', (text) => {
    expect(() => decodeRanges(text)).toThrow('is not an encoded offset range');
  });
});
