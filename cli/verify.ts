import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import type { Delivery, ExperimentOrder, Probe } from '../functions/verify/experiment.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { type Judgement, judgeDeliveries, type Reading } from './judge-deliveries.ts';
import { seconds, wholeNumber } from './numbers.ts';
import type { Target } from './target.ts';
import { counted } from './words.ts';

/** Records of a round: two events, so that newer ones wait while one comes again. */
const RECORDS = 20;
/** In the middle of the first event. */
const REPORTED = 3;
const REPORTS = 2;
const LOOK_EVERY_MS = 500;

interface Options extends CommonOptions {
  readonly rounds: number;
  readonly timeout: number;
}

/** What an experiment found. */
export interface Verified {
  readonly stack: string;
  readonly consumer: string;
  /** ISO 8601. */
  readonly at: string;
  /** Absent where the rounds do not agree, or none of them tells. */
  readonly reading?: Reading;
  readonly rounds: readonly Judgement[];
  /** How long a refused record took to its dead letter, in ms. Absent: it had none in time. */
  readonly deadLetterMs?: number;
  /** What the experiment cannot tell. */
  readonly notVerified: readonly string[];
}

const NOT_VERIFIED = [
  'whether records of open and aborted transactions are delivered',
  'what Lambda does after a timeout of the function',
  'what a rebalance delivers again',
  'whether alarms ring',
];

export const verify = new Command('verify')
  .description(
    'An experiment on a real account: which records Lambda delivers again after a partial answer, in which order and how fast, and whether a dead letter reaches its topic. Deploy its stack first: cdk deploy -c stage=verify.',
  )
  .option('--rounds <count>', 'how often the experiment is repeated', wholeNumber(1, 20), 3)
  .option('--timeout <seconds>', 'the longest time to wait for one round', seconds(1, 3_600), 300)
  .addHelpText(
    'after',
    example('lockstep verify --stack Lockstep-Verify', 'lockstep verify --stack Lockstep-Verify --json > verify.json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<Options>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer ?? 'Verify');
    const found = await experiment(target, consumer, options);
    if (found.reading === undefined || found.deadLetterMs === undefined) process.exitCode = EXIT.failed;
    print(options, found, describe);
  });

async function experiment(target: Target, consumer: DeployedConsumer, options: Options): Promise<Verified> {
  const rounds: Judgement[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    say(`Round ${round} of ${options.rounds}: ${RECORDS} records, one of them reported ${counted(REPORTS, 'time')}.`);
    const probes = Array.from({ length: RECORDS }, (_, index) =>
      index === REPORTED ? { index, reports: REPORTS } : { index },
    );
    rounds.push(judgeDeliveries(await deliveriesOf(target, consumer, probes, options)));
  }
  say('A record that the handler refuses.');
  const deadLetterMs = await timeToLetter(target, consumer, options);
  const [reading, ...others] = new Set(rounds.map((one) => one.reading));
  return {
    stack: consumer.stack,
    consumer: consumer.name,
    at: new Date().toISOString(),
    ...(reading !== undefined && others.length === 0 && { reading }),
    rounds,
    ...(deadLetterMs !== undefined && { deadLetterMs }),
    notVerified: NOT_VERIFIED,
  };
}

/** Produces records and waits until each was delivered and none is reported any more. Nothing of it stays in the table. */
async function deliveriesOf(
  target: Target,
  consumer: DeployedConsumer,
  probes: readonly Omit<Probe, 'run'>[],
  { timeout }: Options,
): Promise<readonly Delivery[]> {
  const run = randomUUID();
  const until = Date.now() + timeout * 1_000;
  await ask(target, consumer, { verify: 'produce', probes: probes.map((probe) => ({ run, ...probe })) });
  try {
    for (;;) {
      const deliveries = (await ask(target, consumer, { verify: 'deliveries', run })) as readonly Delivery[];
      if (isOver(deliveries, probes)) return deliveries;
      if (Date.now() > until)
        throw new OperatorError(
          'OPERATION_REFUSED',
          `verify: not all records came within ${timeout} s. \`lockstep status\` shows where they wait`,
        );
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await ask(target, consumer, { verify: 'forget', run });
  }
}

function isOver(deliveries: readonly Delivery[], probes: readonly Omit<Probe, 'run'>[]): boolean {
  return probes.every(({ index, reports = 0 }) => {
    const own = deliveries.filter(({ indexes }) => indexes.includes(index));
    return (
      own.length > 0 &&
      own.filter(({ reported }) => reported === index).length === reports &&
      own.at(-1)?.reported !== index
    );
  });
}

async function timeToLetter(target: Target, consumer: DeployedConsumer, options: Options): Promise<number | undefined> {
  const startedAt = Date.now();
  const filter = { errorName: 'VERIFY_REFUSED' };
  await deliveriesOf(target, consumer, [{ index: 0, refused: true }], options);
  while (Date.now() < startedAt + options.timeout * 1_000) {
    const { letters } = await target.operate(consumer, { type: 'letters', filter, limit: 1 });
    if (letters.length > 0) {
      const took = Date.now() - startedAt;
      const by = await target.who();
      await target.operate(consumer, { type: 'purge', filter, dryRun: false, by });
      return took;
    }
    await sleep(LOOK_EVERY_MS);
  }
  return undefined;
}

async function ask({ lambda }: Target, { functionName }: DeployedConsumer, order: ExperimentOrder): Promise<unknown> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(order) }));
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError === undefined) return text === '' ? undefined : JSON.parse(text);
  throw new OperatorError('OPERATION_REFUSED', `verify: the function ${functionName} failed: ${text.slice(0, 500)}`);
}

const MEANS: Readonly<Record<Reading, string>> = {
  lowest: 'from the lowest reported record on, all come again',
  reported: 'only the reported records come again, before newer ones',
  batch: 'the whole event comes again',
  overtaken: 'newer records come before the reported ones',
};

function describe({ reading, rounds, deadLetterMs, notVerified }: Verified): string {
  const pauses = rounds.flatMap(({ pausesMs }) => pausesMs);
  return [
    ...rounds.map(({ reading: found, evidence }, at) => `Round ${at + 1}: ${found ?? 'does not tell'}: ${evidence}.`),
    '',
    reading === undefined
      ? '✖ Partial answers: the rounds do not show one reading. Run the command again; --json keeps the evidence.'
      : `✔ Partial answers: ${reading}: ${MEANS[reading]}. Lockstep keeps order with it.`,
    ...(pauses.length > 0
      ? [`  Pause before a record comes again: ${Math.min(...pauses)} to ${Math.max(...pauses)} ms.`]
      : []),
    deadLetterMs === undefined
      ? '✖ Dead letters: the refused record has none. `lockstep status` and the log of the function say why.'
      : `✔ Dead letters: a refused record had its own after ${deadLetterMs} ms; it is purged again.`,
    '',
    `Not verified: ${notVerified.join('; ')}.`,
    'Please attach the output of --json to an issue. Remove the stack: cdk destroy -c stage=verify.',
  ].join('\n');
}
