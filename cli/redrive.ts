import { Command } from 'commander';
import { Listr } from 'listr2';
import { DEFAULT_MAX_REDRIVES } from '../shared/decide/redrive.ts';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import { type ConfirmOptions, confirm } from './confirm.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { filterOf, isAll, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { wholeNumber } from './numbers.ts';
import { Progress } from './progress.ts';
import type { Target } from './target.ts';
import { visible } from './visible.ts';
import { counted, number } from './words.ts';

type Report = OperatorAnswers['redrive'];
type Order = Extract<OperatorRequest, { readonly type: 'redrive' | 'purge' }>;

interface Options extends CommonOptions, ConfirmOptions, LetterOptions {
  readonly dryRun?: boolean;
  readonly rate?: number;
  readonly maxRedrives: number;
  readonly includeDoubtful?: boolean;
}

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
    const options = optionsOf<Options>(command);
    const filter = filterOf(options);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    const { dryRun = false, rate, maxRedrives, includeDoubtful = false } = options;
    const order: Order = {
      type: 'redrive',
      filter,
      dryRun: true,
      maxRedrives,
      includeDoubtful,
      by: await target.who(),
      ...(rate !== undefined && { rate }),
    };
    const found: Report = await target.operate(consumer, order);
    const which = isAll(options) ? 'No filter is set, so this concerns all open dead letters: ' : '';
    say(
      `${which}${counted(found.selected, 'record')} of ${consumer.deadLetterTopic} ${found.selected === 1 ? 'returns' : 'return'} to ${consumer.topic}${refusals(found)}.`,
    );
    sayWhoElseReads(found, consumer, target.consumers);
    const goesOn = !dryRun && found.selected > 0;
    if (goesOn) await confirm('redrive', options);
    const report = goesOn ? await run(target, consumer, { ...order, dryRun: false }, options) : found;
    if ((report.left > 0 || report.stopped.length > 0) && !dryRun) process.exitCode = EXIT.failed;
    print(options, { ...report, dryRun }, () => (dryRun ? 'Nothing was changed.' : summary(report, 'returned')));
  });

/** Runs a redrive or a purge. Ctrl-C ends it after the current transaction, a second Ctrl-C at once. */
export async function run(
  target: Target,
  consumer: DeployedConsumer,
  order: Order,
  { json }: CommonOptions,
): Promise<Report> {
  const stop = new AbortController();
  // Not `once`: a library below listr2 that restores the terminal takes a signal without a listener for the end.
  // https://github.com/tapjs/signal-exit
  const onInterrupt = () => {
    if (stop.signal.aborted) {
      process.off('SIGINT', onInterrupt);
      process.kill(process.pid, 'SIGINT');
      return;
    }
    say('Stopping after the current transaction. The same command goes on where this one stops.');
    stop.abort();
  };
  process.on('SIGINT', onInterrupt);
  let report: Report | undefined;
  const work = async (onProgress: (done: number, total: number) => void) => {
    report = await target.operate(consumer, order, { onProgress, signal: stop.signal });
  };
  try {
    if (json) await work(() => undefined);
    else await watched(order.type === 'redrive' ? 'Redrive' : 'Purge', work, stop.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  if (report === undefined) throw new Error('a redrive without a report');
  return report;
}

/** Shows a progress bar in a terminal, and lines elsewhere. */
async function watched(
  title: string,
  work: (onProgress: (done: number, total: number) => void) => Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  const progress = new Progress(Date.now());
  const task = {
    title,
    task: (_: unknown, own: { title: string; output: string }) => {
      // Lines that are written meanwhile appear only when the bar has ended.
      stop.addEventListener('abort', () => {
        own.title = `${title}: stopping after the current transaction`;
      });
      return work((done, total) => {
        own.output = progress.text(done, total, Date.now());
      });
    },
  };
  await new Listr([task], {
    registerSignalListeners: false,
    exitOnError: true,
    fallbackRenderer: 'simple',
    rendererOptions: { showErrorMessage: false },
    fallbackRendererCondition: () => process.stdout.isTTY !== true,
  }).run();
}

/** A record that returns is for this consumer. Other readers of the topic may get it again. */
function sayWhoElseReads(
  { otherGroups, selected }: Report,
  { topic, ledgerTable, group: own }: DeployedConsumer,
  consumers: readonly DeployedConsumer[],
): void {
  if (selected === 0) return;
  if (otherGroups === undefined) {
    say(`The other groups that read ${topic} could not be listed.`);
    return;
  }
  const ofThisStack = consumers.filter((one) => one.ledgerTable === ledgerTable).map(({ group }) => group);
  // On a cluster with IAM the operator function may describe only its own group. The other consumers of this stack are known
  // anyway.
  const sameTopic = consumers.filter((one) => one.topic === topic && one.group !== own).map(({ group }) => group);
  const unread = ofThisStack.filter(
    (group) => group !== own && (otherGroups.includes(group) || sameTopic.includes(group)),
  );
  const again = otherGroups.filter((group) => !ofThisStack.includes(group));
  if (unread.length > 0)
    say(
      `Other consumers of this stack that read ${topic} settle these records without handling them: ${unread.join(', ')}.`,
    );
  if (again.length > 0) say(`Other groups that read ${topic} get these records again: ${again.join(', ')}.`);
  say('Groups that the operator function may not describe are not named here.');
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
