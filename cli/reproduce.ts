import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { parsePositionName, partitionName } from '../shared/record/item-identifier.ts';
import { consumerOfTopic, type DeployedConsumer, oneConsumer } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { masked } from './mask.ts';
import { recordNamed } from './named.ts';
import { someText, wholeNumber } from './numbers.ts';
import { handlerFile, projectAround, RUNNERS, type Runner } from './project.ts';
import { reproductionFiles } from './reproduced-test.ts';
import type { Target } from './target.ts';
import { counted } from './words.ts';

type Found = OperatorAnswers['records'];

interface Options extends CommonOptions {
  readonly before: number;
  readonly of: 'key' | 'partition';
  readonly out: string;
  readonly handler?: string;
  readonly runner?: Runner;
  readonly mask?: readonly string[];
}

export const reproduce = new Command('reproduce')
  .description(
    'Writes a test for a record that failed: the record as Kafka holds it, and a test that expects it to be handled.',
  )
  .argument('<record>', 'the id of a dead letter, or a record such as orders-3@1042', someText)
  .option('--before <count>', 'also so many records before it', wholeNumber(0, 1_000), 0)
  .addOption(
    new Option('--of <unit>', 'those before it of the same key, or of the same partition')
      .choices(['key', 'partition'])
      .default('key'),
  )
  .option('--out <folder>', 'where the files are written', someText, 'test/reproduced')
  .option('--handler <file>', 'exports the `handler`; default: the only file of the project that does', someText)
  .addOption(new Option('--runner <name>', 'default: what package.json names').choices(RUNNERS))
  .option(
    '--mask <path>',
    'what is not written: $.card.number, $.lines[*].name, headers.<name> or key; may be given several times',
    (text: string, before: readonly string[] | undefined) => [...(before ?? []), someText(text)],
  )
  .addHelpText(
    'after',
    example(
      'lockstep reproduce orders-2@17 --local --before 3',
      'lockstep reproduce <dead letter> --stack Lockstep-Orders-prod --mask "$.card.number"',
    ),
  )
  .action(async (named: string, _, command: Command) => {
    const options = optionsOf<Options>(command);
    const cwd = process.cwd();
    // What the project lacks is said before anything is asked for.
    const project = projectAround(cwd, options.runner);
    const handler = handlerFile(project, cwd, options.handler);
    const folder = resolve(cwd, options.out);
    await using target = await openTarget(options);
    const { consumer, answer } = await recordsNamed(target, named, options);
    const masks = options.mask ?? [];
    const today = new Date().toISOString().slice(0, 10);
    const records = masked(answer.records, masks);
    const reproduction = { answer, records, masks, consumer: consumer.name, handler, folder, today };
    const { texts, testFile } = reproductionFiles(project, reproduction);
    const files = [...texts].map(([file, text]) => [join(folder, file), text] as const);
    const present = files.find(([file]) => existsSync(file));
    if (present !== undefined)
      throw new OperatorError(
        'COMMAND_LINE_INVALID',
        `${relative(cwd, present[0])} exists already, so nothing was written. Delete it, or name another folder with --out`,
      );
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of files) writeFileSync(file, text, { flag: 'wx' });
    const written = files.map(([file]) => relative(cwd, file));
    sayWhatIsMissing(answer, options);
    print(options, { files: written, records: records.length, masked: masks }, () =>
      [
        ...written.map((file) => `wrote ${file}`),
        `${counted(records.length, 'record')}, ${masks.length === 0 ? 'bytes exact: they may hold personal data (--mask)' : `masked: ${masks.join(', ')}`}`,
        `run   ${runText(project.runner, relative(cwd, join(folder, testFile)))}`,
      ].join('\n'),
    );
  });

async function recordsNamed(
  target: Target,
  named: string,
  { consumer: name, before, of }: Options,
): Promise<{ readonly consumer: DeployedConsumer; readonly answer: Found }> {
  const isPosition = parsePositionName(named) !== undefined && !named.includes('/');
  const position = isPosition ? recordNamed(named) : undefined;
  const consumer =
    position === undefined
      ? oneConsumer(target.consumers, name)
      : consumerOfTopic(target.consumers, name, position.topic);
  const which = position === undefined ? { id: named } : { partition: position.partition, offset: position.offset };
  const answer = await target.operate(consumer, { type: 'records', ...which, before, of });
  if (answer.missing !== undefined)
    throw new OperatorError('OPERATION_REFUSED', whyNone(answer.missing, named, consumer));
  return { consumer, answer };
}

function whyNone(
  missing: NonNullable<Found['missing']>,
  named: string,
  { topic, deadLetterTopic }: DeployedConsumer,
): string {
  const place = parsePositionName(named);
  const partition = place === undefined ? topic : partitionName(place);
  switch (missing) {
    case 'letter':
      return `${deadLetterTopic} holds no dead letter ${named}. Its retention may have taken it; \`lockstep dead-letters list\` shows those that there are`;
    case 'expired':
      return `${partition} does not hold ${named} any more: its retention took it. If the record has a dead letter, name that instead`;
    case 'absent':
      return `${partition} has no record at ${named}: it was compacted away, belongs to a transaction, or is not written yet`;
    default:
      return missing satisfies never;
  }
}

function sayWhatIsMissing({ takenFrom, isComplete, records }: Found, { before, of }: Options): void {
  if (takenFrom !== undefined)
    say(
      'The topic does not hold the record any more: its bytes are those of its dead letter, and those before it are gone.',
    );
  else if (!isComplete && before > 0)
    say(
      `Only ${counted(records.length - 1, 'record')} before it ${records.length === 2 ? 'was' : 'were'} found of the same ${of}.`,
    );
}

function runText(runner: Runner, file: string): string {
  return { vitest: `npx vitest run ${file}`, jest: `npx jest ${file}`, 'node:test': `node --test ${file}` }[runner];
}
