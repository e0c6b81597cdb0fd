import { once } from 'node:events';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { WIDTH } from './context.ts';
import { table } from './table.ts';
import { visibleData, visibleJson } from './visible.ts';
import { counted, errorOf, number } from './words.ts';

type Pages = AsyncIterable<OperatorAnswers['letters']>;

const HEAD = ['RECORD', 'KEY', 'DEAD SINCE', 'TRIES', 'FINGERPRINT', 'ERROR'];
const WIDTHS = [24, 11, 20, 6, 13, 0];

/** Writes rows as they come. */
export async function writeTable(pages: Pages): Promise<void> {
  let shown = 0;
  let of = 0;
  let others = 0;
  for await (const { letters, total, foreign } of pages) {
    if (letters.length > 0)
      await write(`${table(shown === 0 ? HEAD : [], WIDTHS, visibleData(letters).map(row), WIDTH)}\n`);
    shown += letters.length;
    of = total;
    others = foreign;
  }
  if (of === 0) await write('No letters.\n');
  else if (shown < of) await write(`${number(shown)} of ${number(of)}; --limit shows more.\n`);
  if (others > 0) await write(`${foreignText(others)}\n`);
}

/** Writes `{ letters, total, foreign }`, one dead letter after the other. */
export async function writeJson(pages: Pages): Promise<void> {
  await write('{"letters":[');
  let shown = 0;
  let of = 0;
  let others = 0;
  for await (const { letters, total, foreign } of pages) {
    const some = letters.map(visibleJson).join(',');
    if (letters.length > 0) await write(`${shown > 0 ? ',' : ''}${some}`);
    shown += letters.length;
    of = total;
    others = foreign;
  }
  await write(`],"total":${of},"foreign":${others}}\n`);
}

/** The line about records that Lockstep did not write. */
export function foreignText(foreign: number): string {
  const are = foreign === 1 ? 'is not a dead letter' : 'are not dead letters';
  return `${counted(foreign, 'record')} of the topic ${are} of this consumer: \`lockstep dead-letters foreign\` lists them.`;
}

function row(letter: OperatorAnswers['letters']['letters'][number]): string[] {
  const { origin, key, errorName, fingerprint, attempts, redriveCount, deadLetteredAt, errorMessage } = letter;
  return [
    origin,
    key ?? '',
    deadLetteredAt.slice(0, 19),
    `${attempts}${redriveCount > 0 ? ` r${redriveCount}` : ''}`,
    fingerprint,
    errorOf(errorName, errorMessage),
  ];
}

/** Waits when the reader is slower. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
