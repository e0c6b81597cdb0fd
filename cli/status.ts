import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import { replayCommands } from '../shared/decide/operator-commands.ts';
import { chosen } from './consumer.ts';
import { type ConsumerStatus, consumerStatus, type PartitionStatus } from './consumer-state.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { seconds } from './numbers.ts';
import { table } from './table.ts';
import { counted, number, shortDuration } from './words.ts';

/** States in which nothing moves until somebody or something acts. */
const STUCK = new Set([
  'unreadable',
  'replay halted',
  'flood breaker',
  'full',
  'blocked',
  'waiting',
  'not read',
  'lag grows',
]);
/** Milliseconds: a handler may ask for shorter pauses in the ordinary course of things. */
const LONG_PAUSE_MS = 60_000;

export const status = new Command('status')
  .description('Each consumer and its partitions: lag, next offset, what blocks, for how long, who holds it.')
  .addOption(new Option('--fail-if-stuck', `exit with ${EXIT.failed} when a partition or a mapping is stuck`))
  .option(
    '--growth-over <seconds>',
    'where a partition is 10,000 records behind, look again after so long: a lag that grows is a problem',
    seconds(0.1, 3_600),
    2,
  )
  .addHelpText(
    'after',
    example('lockstep status --local', 'lockstep status --stack Lockstep-Orders-prod --consumer Orders --json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { failIfStuck?: boolean; growthOver: number }>(command);
    await using target = await openTarget(options);
    const now = Date.now();
    const all = await Promise.all(
      chosen(target.consumers, options.consumer).map((one) =>
        consumerStatus(target, one, now, options.growthOver * 1_000),
      ),
    );
    print(options, all, (found) => found.map((one) => describe(one, now, commandTargetOf(options, one))).join('\n\n'));
    if (options.failIfStuck && all.some((one) => isConsumerStuck(one, now))) process.exitCode = EXIT.failed;
  });

/** Whether anything of a consumer stands still. */
export function isConsumerStuck({ problems, partitions }: ConsumerStatus, now: number): boolean {
  return problems.length > 0 || partitions.some((partition) => isStuck(partition, now));
}

function isStuck({ state, lag, pausedUntil = 0 }: PartitionStatus, now: number): boolean {
  if (state === 'never claimed') return lag > 0;
  if (state === 'paused') return pausedUntil - now > LONG_PAUSE_MS;
  return STUCK.has(state);
}

/** For people: a line about the consumer, then a row for each partition, the stuck ones marked. */
export function describe(status: ConsumerStatus, now: number, commandTarget: string): string {
  const {
    consumer,
    topic,
    group,
    mapping,
    problems,
    deadLetterTopic,
    openLetters,
    onDeadLetterTopic,
    inFallbackQueue,
    inFailureQueue = 0,
    partitions,
  } = status;
  const stuck = partitions.filter((partition) => isStuck(partition, now)).length;
  const found = [
    ...(problems.length === 0 ? [] : ['nothing is read']),
    ...(stuck === 0 ? [] : [`${stuck} of ${counted(partitions.length, 'partition')} stuck`]),
  ];
  const verdict =
    found.length === 0 ? styleText('green', '● nothing stuck') : styleText(['red', 'bold'], `✖ ${found.join(', ')}`);
  const letters =
    openLetters === undefined
      ? `at most ${counted(onDeadLetterTopic, 'letter')} on ${deadLetterTopic} (\`lockstep dead-letters groups\` counts them)`
      : `${counted(openLetters, 'open letter')} on ${deadLetterTopic}`;
  const parked = inFallbackQueue + inFailureQueue;
  const lines = [
    `${styleText('bold', consumer)}  ${verdict}`,
    `  topic ${topic}, group ${group}, mapping ${mapping === 'Enabled' ? mapping : styleText('yellow', mapping)}`,
    ...problems.map((problem) => styleText('red', `  ${problem}`)),
    `  ${letters}${parked === 0 ? '' : styleText('yellow', `, ${counted(parked, 'entry', 'entries')} ${parked === 1 ? 'waits' : 'wait'} for the relay`)}`,
  ];
  const rows = partitions.map((partition) => row(partition, now));
  return [
    ...lines,
    table(
      ['', 'PART', 'LAG', 'NEXT', 'STATE', 'HEAD', 'TRIES', 'NEXT TRY', 'SINCE', 'HELD', 'ERROR'],
      WIDTHS,
      rows,
      WIDTH,
    ),
    ...partitions.filter(({ state }) => state === 'replay halted').map((one) => decisions(topic, one, commandTarget)),
  ].join('\n');
}

/** What an operator may decide about a halted replay, as the log and the alarm name it. */
function decisions(topic: string, { partition }: PartitionStatus, commandTarget: string): string {
  const { takeAsDuplicates, runAgain, forgetPartition } = replayCommands({ topic, partition }, commandTarget);
  return [
    `  ${topic}-${partition} waits for a decision (docs/runbook.md#replay-halted):`,
    `    they were handled:     ${takeAsDuplicates}`,
    `    they shall run again:  ${runAgain}`,
    `    the topic is a new one: ${forgetPartition}`,
  ].join('\n');
}

function commandTargetOf({ local }: CommonOptions, { consumer, stack }: ConsumerStatus): string {
  const where = local || stack === undefined ? '--local' : `--stack ${stack}`;
  return `${where} --consumer ${consumer.split('/').at(-1)}`;
}

/** Room for a lag of millions and for offsets of billions: `lockstep skip` takes them from here. */
const WIDTHS = [2, 5, 10, 11, 14, 14, 6, 9, 8, 6, 0];

function row(partition: PartitionStatus, now: number): string[] {
  const { lag, lagGrowth = 0, next, state, blockedRecords, blockedSince, heldUntil, pausedUntil } = partition;
  const blocked = blockedRecords[0];
  const nextTryAt = pausedUntil ?? blocked?.notBefore;
  const cells = [
    isStuck(partition, now) ? '✖' : ' ',
    String(partition.partition),
    `${number(lag)}${lagGrowth > 0 ? '↑' : ''}`,
    String(next),
    state,
    blocked === undefined
      ? ''
      : `${blocked.offset}${blockedRecords.length > 1 ? ` +${blockedRecords.length - 1}` : ''}`,
    blocked === undefined ? '' : `${blocked.attempts}${blocked.interruptions > 0 ? `+${blocked.interruptions}` : ''}`,
    blocked?.exhausted
      ? 'letter'
      : nextTryAt === undefined
        ? ''
        : nextTryAt > now
          ? shortDuration(nextTryAt - now)
          : 'now',
    blockedSince === undefined ? '' : shortDuration(now - blockedSince),
    heldUntil === undefined ? '' : shortDuration(heldUntil - now),
    blocked?.error?.name ?? '',
  ];
  return isStuck(partition, now) ? cells.map((cell) => styleText(['red', 'bold'], cell)) : cells;
}
