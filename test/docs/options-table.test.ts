import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { byPosition, checkOptions, DEFAULTS } from '../../shared/options.ts';
import { text } from '../../shared/record/decode.ts';

/** One line of the table: names, default and range as the page has them. */
interface Row {
  readonly names: readonly string[];
  readonly shownDefault: string;
  readonly range: string;
}

const page = readFileSync('docs/retry-and-idempotency.md', 'utf8');
const rows: readonly Row[] = page
  .slice(page.indexOf('## All options'))
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [names = '', shownDefault = '', range = ''] = line.split('|').slice(1);
    return {
      names: [...names.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []),
      shownDefault: shownDefault.trim(),
      range: range.trim(),
    };
  });

/** `604,800` as a number, `Infinity` too. */
const numberOf = (shown: string) => Number(shown.replaceAll(',', '').replaceAll('`', ''));
const lastOf = (name: string) => name.slice(name.lastIndexOf('.') + 1);
const isNumber = (shown: string) => /^[\d,]+$/.test(shown);

/** Options beside which each other one has an effect. */
const EFFECTIVE = { value: text, idempotencyKey: () => 'key', order: 'key', onRecord: () => {} };
const BATCH = { value: text, idempotencyKey: () => 'key', onBatch: () => {} };
const BESIDE: Readonly<Record<string, object>> = {
  backOffBaseMs: { backOffMaxMs: 86_400_000 },
  backOffMaxMs: { backOffBaseMs: 1 },
  maxParkedPerKey: { onExhausted: 'park' },
  maxParkedKeys: { onExhausted: 'park' },
};

/** Whether these options are taken. */
function takes(name: string, value: unknown): boolean {
  const [first = '', second] = name.split('.');
  const given = second === undefined ? { [first]: value } : { [first]: { ...BESIDE[second], [second]: value } };
  try {
    checkOptions({ ...(name === 'maxBatchRecords' ? BATCH : EFFECTIVE), ...given });
    return true;
  } catch {
    return false;
  }
}

test('the page has a line for each default, and no other number', () => {
  const shown = rows
    .filter(({ shownDefault }) => isNumber(shownDefault))
    .flatMap(({ names, shownDefault }) => names.map((name) => [lastOf(name), numberOf(shownDefault)]));

  expect(Object.fromEntries(shown)).toEqual(DEFAULTS);
});

test('the page names every option and no other', () => {
  const shown = rows.flatMap(({ names }) => names);
  const unknown = shown.filter((name) => {
    const [first = '', second] = name.split('.');
    const given = second === undefined ? { [first]: Symbol('wrong') } : { [first]: { [second]: Symbol('wrong') } };
    try {
      checkOptions({ value: text, idempotencyKey: byPosition, onRecord: () => {}, ...given });
      return true;
    } catch (error) {
      return String(error).includes('unknown option');
    }
  });
  expect(unknown).toEqual([]);

  const source = readFileSync('shared/options.ts', 'utf8');
  const declared = (interfaceName: string, prefix: string) => {
    const start = source.indexOf(`interface ${interfaceName}`);
    const body = source.slice(start, source.indexOf('\n}\n', start));
    return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => `${prefix}${name}`);
  };
  const all = new Set([
    ...declared('CommonOptions<V>', ''),
    ...declared('RecordHandler<V>', ''),
    ...declared('BatchHandler<V>', ''),
    ...declared('RetryOptions', 'retry.'),
    ...declared('TuningOptions', 'tuning.'),
  ]);
  expect(shown.toSorted()).toEqual([...all].filter((name) => name !== 'retry' && name !== 'tuning').toSorted());
});

test('the ends of each range are taken, and what lies beyond is not', () => {
  const ranges = rows.filter(({ range }) => /^[\d,]+–[\d,]+(, |$)/.test(range));
  // As many as there are defaults: other ranges are words and characters.
  expect(ranges.map(({ names: [name] }) => name)).toHaveLength(20);
  for (const {
    names: [name = ''],
    range,
  } of ranges) {
    const [from = 0, to = 0] = (range.split(', ')[0] ?? '').split('–').map(numberOf);
    const found = [from - 1, from, to, to + 1, Number.POSITIVE_INFINITY].map((value) => takes(name, value));
    expect({ name, found }).toEqual({ name, found: [false, true, true, false, range.includes('Infinity')] });
  }
});

test('each word of a range is taken', () => {
  for (const {
    names: [name = ''],
    range,
  } of rows) {
    const words = [...range.matchAll(/`'(\w+)'`/g)].flatMap(([, word]) => word ?? []);
    for (const word of words) {
      const value = name === 'deadLetterHeaders' ? [word] : word;
      expect({ name, word, taken: takes(name, value) }).toEqual({ name, word, taken: true });
    }
  }
});
