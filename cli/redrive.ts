import { Command } from 'commander';
import { passingLine } from '../infra/local/passing-line.ts';
import { DEFAULT_MAX_REDRIVES } from '../shared/decide/redrive.ts';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { openTarget, optionsOf, say } from './context.ts';
import { example } from './example.ts';
import { filterOf, isAll, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { wholeNumber } from './numbers.ts';
import { type CarryOutOptions, carryOut, type Plan, type Running } from './plan.ts';
import { Progress } from './progress.ts';
import type { Target } from './target.ts';
import { visible } from './visible.ts';
import { counted, number } from './words.ts';

type Report = OperatorAnswers['redrive'];
type Order = Extract<OperatorRequest, { readonly type: 'redrive' | 'purge' }>;

export interface RedriveOptions extends CarryOutOptions, LetterOptions {
  readonly rate?: number;
  readonly maxRedrives?: number;
  readonly includeDoubtful?: boolean;
}

/** What became of dead letters. */
type Ended = Report & { readonly dryRun: boolean };

export const redrive = withLetterOptions(new Command('redrive'))
  .description(
    'Writes the records of dead letters back to their topic, in their original order, each once, even if the command dies.',
  )
  .option('--dry-run', 'only count')
  .option('--yes', 'do not ask for confirmation')
  .option('--rate <count>', 'the most records a second', wholeNumber(1, 1_000_000))
  .option(
    '--max-redrives <count>',
    'leave out records that were redriven this often',
    wholeNumber(1, 1_000_000),
    DEFAULT_MAX_REDRIVES,
  )
  .option('--include-doubtful', 'also records of which it is not known whether they were handled')
  .addHelpText(
    'after',
    example(
      'lockstep redrive --local --fingerprint 3f9a --dry-run',
      'lockstep redrive --stack Lockstep-Orders-prod --fingerprint 3f9a --rate 50 --yes',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<RedriveOptions>(command);
    filterOf(options);
    await using target = await openTarget(options);
    const plan = await planRedrive(target, options);
    await carryOut('redrive', options, plan, runInTerminal('Redrive', plan, options));
  });

/** What a redrive would write back. @throws LockstepError COMMAND_LINE_INVALID, CONSUMER_UNKNOWN */
export async function planRedrive(target: Target, options: RedriveOptions): Promise<Plan<Ended>> {
  const consumer = oneConsumer(target.consumers, options.consumer);
  const { rate, maxRedrives = DEFAULT_MAX_REDRIVES, includeDoubtful = false } = options;
  const order: Order = {
    type: 'redrive',
    filter: filterOf(options),
    dryRun: true,
    maxRedrives,
    includeDoubtful,
    by: await target.who(),
    ...(rate !== undefined && { rate }),
  };
  const found: Report = await target.operate(consumer, order);
  const returns = found.selected === 1 ? 'returns' : 'return';
  return {
    ...lettersPlan(target, consumer, order, found),
    says: [
      `${allIn(options)}${counted(found.selected, 'record')} of ${consumer.deadLetterTopic} ${returns} to ${consumer.topic}${refusals(found)}.`,
      ...whoElseReads(found, consumer, target.consumers),
    ],
    text: (report) => summary(report, 'returned'),
    isDone: ({ left, stopped }) => left === 0 && stopped.length === 0,
  };
}

/** What the plans of a redrive and of a purge have in common. */
export function lettersPlan(
  target: Target,
  consumer: DeployedConsumer,
  order: Order,
  found: Report,
): Pick<Plan<Ended>, 'isEmpty' | 'dry' | 'run'> {
  const isEmpty = found.selected === 0;
  return {
    isEmpty,
    dry: { ...found, dryRun: true },
    run: async (watching) => ({
      ...(isEmpty ? found : await target.operate(consumer, { ...order, dryRun: false }, watching)),
      dryRun: false,
    }),
  };
}

/** The beginning of a sentence about letters that no filter narrows down. */
export function allIn(options: LetterOptions): string {
  return isAll(options) ? 'No filter is set, so this concerns all open dead letters: ' : '';
}

/** Runs a redrive or a purge. Ctrl-C ends it after the current transaction, a second Ctrl-C at once. */
export function runInTerminal(
  title: string,
  { isEmpty, run }: Plan<Ended>,
  { json = false }: CarryOutOptions,
): (running: Running) => Promise<Ended> {
  if (isEmpty) return run;
  return async (running) => {
    const stop = new AbortController();
    const line = passingLine();
    const progress = new Progress(Date.now());
    const onInterrupt = () => {
      line.clear();
      say('Stopping after the current transaction. The same command goes on where this one stops.');
      stop.abort();
    };
    process.once('SIGINT', onInterrupt);
    try {
      return await run({
        ...running,
        onProgress: (done, total) => {
          if (!json) line.show(`${title}: ${progress.text(done, total, Date.now())}`);
        },
        signal: stop.signal,
      });
    } finally {
      line.clear();
      process.off('SIGINT', onInterrupt);
    }
  };
}

/** A record that returns is for this consumer. Other readers of the topic may get it again. */
function whoElseReads(
  { otherGroups, selected }: Report,
  { topic, ledgerTable, group: own }: DeployedConsumer,
  consumers: readonly DeployedConsumer[],
): string[] {
  if (selected === 0) return [];
  if (otherGroups === undefined) return [`The other groups that read ${topic} could not be listed.`];
  const ofThisStack = consumers.filter((one) => one.ledgerTable === ledgerTable).map(({ group }) => group);
  // On a cluster with IAM the operator function may describe only its own group. The other consumers of this stack are known
  // anyway.
  const sameTopic = consumers.filter((one) => one.topic === topic && one.group !== own).map(({ group }) => group);
  const unread = ofThisStack.filter(
    (group) => group !== own && (otherGroups.includes(group) || sameTopic.includes(group)),
  );
  const again = otherGroups.filter((group) => !ofThisStack.includes(group));
  return [
    ...(unread.length > 0
      ? [
          `Other consumers of this stack that read ${topic} settle these records without handling them: ${unread.join(', ')}.`,
        ]
      : []),
    ...(again.length > 0 ? [`Other groups that read ${topic} get these records again: ${again.join(', ')}.`] : []),
    'Groups that the operator function may not describe are not named here.',
  ];
}

export function summary({ done, left, refused, selected, stopped }: Report, verb: string): string {
  const rest = left > 0 ? ` ${number(left)} are left: run the same command again.` : '';
  const named = stopped.map(({ id, why }) => `\n✖ ${visible(id)}: ${visible(why)}`).join('');
  return `${number(done)} of ${number(selected)} ${verb}.${rest}${refusals({ refused })}${named}`;
}

function refusals({ refused }: Pick<Report, 'refused'>): string {
  const why = [
    refused.maxRedrives > 0 ? `${number(refused.maxRedrives)} were redriven too often` : '',
    refused.doubtful > 0 ? `${number(refused.doubtful)} may have been handled already (--include-doubtful)` : '',
    refused.elsewhere > 0
      ? `${number(refused.elsewhere)} are from a topic or partition that the consumer does not read`
      : '',
    refused.expired > 0 ? `${number(refused.expired)} are gone from Kafka` : '',
  ].filter((text) => text !== '');
  return why.length === 0 ? '' : `; not: ${why.join(', ')}`;
}
