import { expect, test } from 'vitest';
import { difference } from '../../../../shared/testing/explore/difference.ts';

test.each<[unknown, unknown, readonly string[]]>([
  [{ a: 1, b: [1] }, { a: 1, b: [1] }, []],
  [20, 10, ['20 instead of 10']],
  [{ a: { n: 20 } }, { a: { n: 10 } }, ['a.n: 20 instead of 10']],
  [{ a: 1 }, {}, ['a: 1, which should not be there']],
  [{}, { a: 1 }, ['a: missing, should be 1']],
  [['x', 'x', 'y'], ['x', 'y'], ["'x' once more than it should be"]],
  [
    ['x', 'z'],
    ['x', 'y'],
    ["'z' should not be there", "'y' is missing"],
  ],
  [['y', 'x'], ['x', 'y'], ["in another order: [ 'y', 'x' ] instead of [ 'x', 'y' ]"]],
  [new Map([['k', 2]]), new Map([['k', 1]]), ['k: 2 instead of 1']],
  [new Set(['a']), new Set(['a', 'b']), ["'b' is missing"]],
  [undefined, { a: 1 }, ['undefined instead of { a: 1 }']],
  [
    [1, 2, 3, 4, 5, 6],
    [],
    ['1 should not be there', '2 should not be there', '3 should not be there', '… 3 more differences'],
  ],
])('%o instead of %o', (observed, expected, lines) => {
  expect(difference(observed, expected)).toEqual(lines);
});
