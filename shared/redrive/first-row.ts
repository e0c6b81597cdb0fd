/**
 * The first of ordered rows that is not before the one looked for; `rows` if there is none. @param order - of a row: negative
 * if it is before
 */
export function firstRow(rows: number, order: (row: number) => number): number {
  let from = 0;
  let to = rows;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (order(middle) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
