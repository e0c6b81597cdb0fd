import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import type { Delivery, ExperimentOrder, Probe } from '../functions/verify/experiment.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { alarmStates } from './alarm-states.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { eventAfter, type Judgement, judgeDeliveries, type Reading } from './judge-deliveries.ts';
import { seconds, wholeNumber } from './numbers.ts';
import { planPause, planResume } from './pause.ts';
import type { Target } from './target.ts';
import { counted } from './words.ts';

/** Records of a round: two events, so that newer ones wait while one comes again. */
const RECORDS = 20;
/** In the middle of the first event. */
const REPORTED = 3;
const REPORTS = 2;
const LOOK_EVERY_MS = 500;

/** Deliveries of a run that is reported until it is told to relent. */
const UNTIL_RELENT = 1_000_000;

interface Options extends CommonOptions {
  readonly rounds: number;
  readonly timeout: number;
  readonly quick?: boolean;
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
  /** Whether the alarm `dead-letters` rang for it. */
  readonly alarm?: 'rang' | 'rang before' | 'silent';
  /** How long it took, in ms. */
  readonly alarmMs?: number;
  /** Whether a record of a transaction that was rolled back is delivered. */
  readonly isolation?: 'committed' | 'uncommitted';
  /** What came after an event whose function ran into its timeout, in one sentence. */
  readonly afterTimeout?: string;
  /** What came after the pollers were stopped and started while a record was reported, in one sentence. */
  readonly afterRestart?: string;
  /** What the experiment cannot tell. */
  readonly notVerified: readonly string[];
}

const NOT_VERIFIED = ['what a rebalance among several pollers delivers again', 'whether other alarms ring'];
const NOT_QUICKLY = [
  'whether records of transactions that are rolled back are delivered',
  'what Lambda does after a timeout of the function',
  'what comes after the pollers were stopped and started',
  'whether a dead letter reaches its topic, and whether its alarm rings',
];

export const verify = new Command('verify')
  .description(
    'An experiment on a real account: which records Lambda delivers again after a partial answer, in which order and how fast, and whether a dead letter reaches its topic. Deploy its stack first: cdk deploy -c stage=verify.',
  )
  .option('--rounds <count>', 'how often the experiment is repeated', wholeNumber(1, 20), 3)
  .option('--timeout <seconds>', 'the longest time to wait for one round', seconds(1, 3_600), 300)
  .option('--quick', 'only partial answers')
  .addHelpText(
    'after',
    example('lockstep verify --stack Lockstep-Verify', 'lockstep verify --stack Lockstep-Verify --json > verify.json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<Options>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer ?? 'Verify');
    const found = await experiment(target, consumer, options);
    const isWhole = options.quick || (found.deadLetterMs !== undefined && found.alarm !== 'silent');
    if (found.reading === undefined || !isWhole) process.exitCode = EXIT.failed;
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
  const rest = options.quick
    ? {}
    : { ...(await otherReadings(target, consumer, options)), ...(await letterAndAlarm(target, consumer, options)) };
  const [reading, ...others] = new Set(rounds.map((one) => one.reading));
  return {
    stack: consumer.stack,
    consumer: consumer.name,
    at: new Date().toISOString(),
    ...(reading !== undefined && others.length === 0 && { reading }),
    rounds,
    ...rest,
    notVerified: [...NOT_VERIFIED, ...(options.quick ? NOT_QUICKLY : [])],
  };
}

async function otherReadings(
  target: Target,
  consumer: DeployedConsumer,
  options: Options,
): Promise<Pick<Verified, 'isolation' | 'afterTimeout' | 'afterRestart'>> {
  say('A record of a transaction that is rolled back, and one after it.');
  const run = randomUUID();
  await ask(target, consumer, { verify: 'abort', probe: { run, index: 0 } });
  const read = await deliveriesOf(target, consumer, [{ index: 1 }], options, { run });
  say('An event during which the function runs into its timeout.');
  const probes = Array.from({ length: 3 }, (_, index) => ({ index, ...(index === 1 && { hangs: true }) }));
  const isAnswered = (found: readonly Delivery[]) => found.at(-1)?.hung === undefined;
  const hung = await deliveriesOf(target, consumer, probes, options, { isAlsoOver: isAnswered });
  say('The pollers are stopped and started while a record is reported.');
  const mapping = { consumer: consumer.name, timeout: options.timeout };
  const restarted = await deliveriesOf(
    target,
    consumer,
    Array.from({ length: 10 }, (_, index) => ({ index, ...(index === REPORTED && { reports: UNTIL_RELENT }) })),
    options,
    {
      meanwhile: async (own) => {
        await planPause(target, mapping).run({});
        await ask(target, consumer, { verify: 'relent', run: own });
        await planResume(target, mapping).run({});
      },
    },
  );
  return {
    isolation: read.some(({ indexes }) => indexes.includes(0)) ? 'uncommitted' : 'committed',
    afterTimeout: eventAfter(hung, ({ hung: timedOut }) => timedOut === true),
    afterRestart: eventAfter(restarted, ({ indexes }) => indexes.length === 0),
  };
}

/** Produces records and waits until each was delivered and none is reported any more. Nothing of it stays in the table. */
async function deliveriesOf(
  target: Target,
  consumer: DeployedConsumer,
  probes: readonly Omit<Probe, 'run'>[],
  { timeout }: Options,
  {
    run = randomUUID(),
    meanwhile,
    isAlsoOver = () => true,
  }: {
    run?: string;
    /** Done once a record was reported. */
    meanwhile?: (run: string) => Promise<void>;
    isAlsoOver?: (deliveries: readonly Delivery[]) => boolean;
  } = {},
): Promise<readonly Delivery[]> {
  let pending = meanwhile;
  const until = Date.now() + timeout * 1_000;
  await ask(target, consumer, { verify: 'produce', probes: probes.map((probe) => ({ run, ...probe })) });
  try {
    for (;;) {
      const deliveries = (await ask(target, consumer, { verify: 'deliveries', run })) as readonly Delivery[];
      if (pending !== undefined && deliveries.some(({ reported }) => reported !== undefined)) {
        await pending(run);
        pending = undefined;
      } else if (isOver(deliveries, probes) && isAlsoOver(deliveries)) return deliveries;
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
    const isTold = deliveries.some(({ indexes }) => indexes.length === 0);
    return (
      own.length > 0 &&
      (isTold || own.filter(({ reported }) => reported === index).length === reports) &&
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

async function isRinging(target: Target, consumer: DeployedConsumer): Promise<boolean> {
  const alarms = await alarmStates(target, consumer);
  return alarms.some(({ name, state }) => name === 'dead-letters' && state === 'ALARM');
}

async function letterAndAlarm(
  target: Target,
  consumer: DeployedConsumer,
  options: Options,
): Promise<Pick<Verified, 'deadLetterMs' | 'alarm' | 'alarmMs'>> {
  say('A record that the handler refuses, and the alarm about it.');
  const rangBefore = await isRinging(target, consumer);
  const since = Date.now();
  const deadLetterMs = await timeToLetter(target, consumer, options);
  const letter = deadLetterMs === undefined ? {} : { deadLetterMs };
  if (rangBefore) return { ...letter, alarm: 'rang before' };
  while (Date.now() < since + options.timeout * 1_000) {
    if (await isRinging(target, consumer)) return { ...letter, alarm: 'rang', alarmMs: Date.now() - since };
    await sleep(LOOK_EVERY_MS);
  }
  return { ...letter, alarm: 'silent' };
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

function describe(verified: Verified): string {
  const { reading, rounds, isolation, notVerified } = verified;
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
    ...(isolation === undefined ? [] : describeRest(verified)),
    '',
    `Not verified: ${notVerified.join('; ')}.`,
    'Please attach the output of --json to an issue. Remove the stack: cdk destroy -c stage=verify.',
  ].join('\n');
}

function describeRest({ deadLetterMs, alarm, alarmMs, isolation, afterTimeout, afterRestart }: Verified): string[] {
  return [
    `✔ Transactions: records that were rolled back are ${isolation === 'committed' ? 'not ' : ''}delivered.`,
    `✔ After a timeout of the function: ${afterTimeout}.`,
    `✔ After the pollers were stopped and started: ${afterRestart}.`,
    deadLetterMs === undefined
      ? '✖ Dead letters: the refused record has none. `lockstep status` and the log of the function say why.'
      : `✔ Dead letters: a refused record had its own after ${deadLetterMs} ms; it is purged again.`,
    alarm === 'silent'
      ? '✖ Alarms: dead-letters did not ring. Does the namespace Lockstep have the metric RecordsDeadLettered?'
      : `✔ Alarms: dead-letters ${alarm === 'rang' ? `rang ${alarmMs} ms after the record was produced` : 'rang before; run the command again when it is over'}.`,
  ];
}
