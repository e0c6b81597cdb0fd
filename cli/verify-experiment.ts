import { randomUUID } from 'node:crypto';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Delivery, ExperimentOrder, Probe } from '../functions/verify/experiment.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { alarmStates } from './alarm-states.ts';
import type { DeployedConsumer } from './consumer.ts';
import { say } from './context.ts';
import { eventAfter, type Judgement, judgeDeliveries, type Reading } from './judge-deliveries.ts';
import { planPause, planResume } from './pause.ts';
import type { Target } from './target.ts';
import { untilFound, type Wait } from './until.ts';
import { counted } from './words.ts';

/** Records of a round: two events, so that newer ones wait while one comes again. */
const RECORDS = 20;
/** In the middle of the first event. */
const REPORTED = 3;
const REPORTS = 2;

/** Deliveries of a run that is reported until it is told to relent. */
const UNTIL_RELENT = 1_000_000;

/** How the experiment is done. */
export interface ExperimentOptions {
  readonly rounds: number;
  /** Seconds: the longest time to wait for one round. */
  readonly timeout: number;
  /** Only partial answers. */
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

/** Does the experiment of `lockstep verify` with the consumer of its stack. @throws OperatorError where records do not come in time */
export async function experiment(
  target: Target,
  consumer: DeployedConsumer,
  options: ExperimentOptions,
): Promise<Verified> {
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
  options: ExperimentOptions,
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
  { timeout }: ExperimentOptions,
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
  const wait = within(timeout);
  await ask(target, consumer, { verify: 'produce', probes: probes.map((probe) => ({ run, ...probe })) });
  try {
    const found = await untilFound(async () => {
      const deliveries = (await ask(target, consumer, { verify: 'deliveries', run })) as readonly Delivery[];
      if (pending === undefined || !deliveries.some(({ reported }) => reported !== undefined))
        return isOver(deliveries, probes) && isAlsoOver(deliveries) ? deliveries : undefined;
      await pending(run);
      pending = undefined;
      return undefined;
    }, wait);
    if (found !== undefined) return found;
    throw new OperatorError(
      'OPERATION_REFUSED',
      `verify: not all records came within ${timeout} s. \`lockstep status\` shows where they wait`,
    );
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

async function timeToLetter(
  target: Target,
  consumer: DeployedConsumer,
  options: ExperimentOptions,
): Promise<number | undefined> {
  const startedAt = Date.now();
  const wait = within(options.timeout);
  const filter = { errorName: 'VERIFY_REFUSED' };
  await deliveriesOf(target, consumer, [{ index: 0, refused: true }], options);
  const took = await untilFound(async () => {
    const { letters } = await target.operate(consumer, { type: 'letters', filter, limit: 1 });
    return letters.length > 0 ? Date.now() - startedAt : undefined;
  }, wait);
  if (took !== undefined)
    await target.operate(consumer, { type: 'purge', filter, dryRun: false, by: await target.who() });
  return took;
}

async function isRinging(target: Target, consumer: DeployedConsumer): Promise<boolean> {
  const alarms = await alarmStates(target, consumer);
  return alarms.some(({ name, state }) => name === 'dead-letters' && state === 'ALARM');
}

async function letterAndAlarm(
  target: Target,
  consumer: DeployedConsumer,
  options: ExperimentOptions,
): Promise<Pick<Verified, 'deadLetterMs' | 'alarm' | 'alarmMs'>> {
  say('A record that the handler refuses, and the alarm about it.');
  const rangBefore = await isRinging(target, consumer);
  const since = Date.now();
  const wait = within(options.timeout);
  const deadLetterMs = await timeToLetter(target, consumer, options);
  const letter = deadLetterMs === undefined ? {} : { deadLetterMs };
  if (rangBefore) return { ...letter, alarm: 'rang before' };
  const alarmMs = await untilFound(
    async () => ((await isRinging(target, consumer)) ? Date.now() - since : undefined),
    wait,
  );
  return alarmMs === undefined ? { ...letter, alarm: 'silent' } : { ...letter, alarm: 'rang', alarmMs };
}

async function ask({ lambda }: Target, { functionName }: DeployedConsumer, order: ExperimentOrder): Promise<unknown> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(order) }));
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError === undefined) return text === '' ? undefined : JSON.parse(text);
  throw new OperatorError('OPERATION_REFUSED', `verify: the function ${functionName} failed: ${text.slice(0, 500)}`);
}

function within(seconds: number): Wait {
  return { until: Date.now() + seconds * 1_000 };
}
