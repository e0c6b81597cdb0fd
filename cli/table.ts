import Table from 'cli-table3';

/** A table without lines, for people and for `grep`. Columns have these widths; 0 takes what is left of `width`. */
export function table(
  head: readonly string[],
  widths: readonly number[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const fixed = widths.reduce((sum, one) => sum + one, 0);
  const colWidths = widths.map((one) => (one === 0 ? width - fixed : one));
  const made = new Table({
    head: [...head],
    colWidths,
    chars: LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
    wordWrap: false,
  });
  for (const row of rows) made.push([...row]);
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const NO = '';
const LINES = {
  top: NO,
  'top-mid': NO,
  'top-left': NO,
  'top-right': NO,
  bottom: NO,
  'bottom-mid': NO,
  'bottom-left': NO,
  'bottom-right': NO,
  left: NO,
  'left-mid': NO,
  mid: NO,
  'mid-mid': NO,
  right: NO,
  'right-mid': NO,
  middle: NO,
};
