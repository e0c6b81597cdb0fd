import { Command } from 'commander';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { oneConsumer } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { foreignText, writeJson, writeTable } from './letter-list.ts';
import { filterOf, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { someText, wholeNumber } from './numbers.ts';
import { table } from './table.ts';
import { counted, errorOf, number } from './words.ts';

const list = withLetterOptions(new Command('list'))
  .description('Lists dead letters that are neither redriven nor purged, in their original order.')
  .option('--limit <count>', 'the most that are listed', wholeNumber(1), 50)
  .addHelpText(
    'after',
    example(
      'lockstep dead-letters list --local --since 2h',
      'lockstep dead-letters list --local --key customer-7 --json',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & LetterOptions & { limit: number }>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    const pages = target.letterPages(consumer, { filter: filterOf(options), limit: options.limit });
    await (options.json ? writeJson(pages) : writeTable(pages));
  });

const groups = withLetterOptions(new Command('groups'))
  .description('Groups dead letters by cause: how many, since when, and an example.')
  .addHelpText(
    'after',
    example('lockstep dead-letters groups --local', 'lockstep dead-letters groups --stack Lockstep-Orders-prod --json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & LetterOptions>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    print(options, await target.operate(consumer, { type: 'groups', filter: filterOf(options) }), describeGroups);
  });

const show = new Command('show')
  .description('Shows one dead letter completely: headers decoded, value as text.')
  .argument('<id>', 'its x-dead-letter-id', someText)
  .addHelpText(
    'after',
    example('lockstep dead-letters show --local 3c95326f/Lockstep-Orders-local-Orders/orders-2@17/1795258800000'),
  )
  .action(async (id: string, _, command: Command) => {
    const options = optionsOf<CommonOptions>(command);
    await using target = await openTarget(options);
    const { letter } = await target.operate(oneConsumer(target.consumers, options.consumer), { type: 'letter', id });
    if (letter === null) throw new OperatorError('OPERATION_REFUSED', `there is no dead letter ${id}`);
    print(options, letter, describeLetter);
  });

const foreign = new Command('foreign')
  .description(
    'Lists records of the dead-letter topic that Lockstep did not write for this consumer. No redrive touches them.',
  )
  .option('--limit <count>', 'the most that are listed', wholeNumber(1, 1_000), 50)
  .addHelpText('after', example('lockstep dead-letters foreign --local'))
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { limit: number }>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    print(options, await target.operate(consumer, { type: 'foreign', limit: options.limit }), describeForeign);
  });

export const deadLetters = new Command('dead-letters')
  .description('Shows what is on the dead-letter topic.')
  .addCommand(list)
  .addCommand(groups)
  .addCommand(show)
  .addCommand(foreign)
  .addHelpText('after', example('lockstep dead-letters groups --local'));

function describeGroups({ groups: found, causes, letters, foreign: others }: OperatorAnswers['groups']): string {
  const foreignLine = others > 0 ? `\n${foreignText(others)}` : '';
  if (letters === 0) return `No letters.${foreignLine}`;
  const rows = found.map(({ fingerprint, count, firstSeen, lastSeen, errorName, exampleMessage }) => [
    fingerprint,
    number(count),
    firstSeen.slice(0, 19),
    lastSeen.slice(0, 19),
    errorOf(errorName, exampleMessage),
  ]);
  const blocked = ['FINGERPRINT', 'LETTERS', 'FIRST SEEN', 'LAST SEEN', 'EXAMPLE'];
  return `${table(blocked, [14, 9, 20, 20, 0], rows, WIDTH)}\n${counted(letters, 'dead letter')} of ${counted(causes, 'cause')}${causes > found.length ? `, the ${found.length} most frequent shown` : ''}.${foreignLine}`;
}

function describeForeign({ records, total }: OperatorAnswers['foreign']): string {
  if (total === 0) return 'No foreign records.';
  const rows = records.map(({ position, claims, timestamp, bytes, id }) => [
    position,
    claims,
    timestamp.slice(0, 19),
    number(bytes),
    id,
  ]);
  const shown = records.length < total ? `, ${number(records.length)} shown` : '';
  return `${table(['RECORD', 'CLAIMS TO BE', 'TIME', 'BYTES', 'ID'], [32, 13, 20, 10, 0], rows, WIDTH)}\n${counted(total, 'record')}${shown}.`;
}

function describeLetter(letter: NonNullable<OperatorAnswers['letter']['letter']>): string {
  const { id, origin, key, timestamp, value, headers, doubtful } = letter;
  return [
    `letter     ${id}`,
    `record     ${origin}, key ${key ?? 'none'}, ${timestamp}${doubtful ? ', may have been handled already' : ''}`,
    'headers',
    ...headers.map(({ name, value: text }) => `  ${name.padEnd(26)} ${name.includes('stack') ? inLines(text) : text}`),
    'value',
    `  ${value ?? 'none (a tombstone)'}`,
  ].join('\n');
}

/**
 * A stack. Its line ends were escaped with everything else. Each line has a bar before it, so that none looks like a line of
 * ours.
 */
function inLines(text: string): string {
  return text.replaceAll('\\n', `\n${' '.repeat(29)}| `);
}
