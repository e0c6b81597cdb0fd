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

/** States that do not end by themselves. */
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
/** Milliseconds. A handler may ask for shorter pauses in normal operation. */
const LONG_PAUSE_MS = 60_000;

export const status = new Command('status')
  .description('Shows each consumer and its partitions: lag, next offset, blocked record, and who holds the partition.')
  .addOption(new Option('--fail-if-stuck', `exit with ${EXIT.failed} when a partition or a mapping is stuck`))
  .option(
    '--growth-over <seconds>',
    'if a partition is 10,000 records behind, measure again after this time: a lag that grows is a problem',
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

/** Whether a consumer or one of its partitions is stuck. */
export function isConsumerStuck({ problems, partitions }: ConsumerStatus, now: number): boolean {
  return problems.length > 0 || partitions.some((partition) => isStuck(partition, now));
}

/** Whether a partition does not go on by itself. */
export function isStuck({ state, lag, pausedUntil = 0 }: PartitionStatus, now: number): boolean {
  if (state === 'never claimed') return lag > 0;
  if (state === 'paused') return pausedUntil - now > LONG_PAUSE_MS;
  return STUCK.has(state);
}

/** For people: a line about the consumer, then a row for each partition. Stuck partitions have a mark. */
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
    ...(problems.length === 0 ? [] : ['no records are read']),
    ...(stuck === 0 ? [] : [`${stuck} of ${counted(partitions.length, 'partition')} stuck`]),
  ];
  const verdict =
    found.length === 0 ? styleText('green', '● nothing stuck') : styleText(['red', 'bold'], `✖ ${found.join(', ')}`);
  const letters =
    openLetters === undefined
      ? `at most ${counted(onDeadLetterTopic, 'dead letter')} on ${deadLetterTopic} (\`lockstep dead-letters groups\` counts them)`
      : `${counted(openLetters, 'open dead letter')} on ${deadLetterTopic}`;
  const parked = inFallbackQueue + inFailureQueue;
  const lines = [
    `${styleText('bold', consumer)}  ${verdict}`,
    `  topic ${topic}, group ${group}, mapping ${mapping === 'Enabled' ? mapping : styleText('yellow', mapping)}`,
    ...problems.map((problem) => styleText('red', `  ${problem}`)),
    `  ${letters}${parked === 0 ? '' : styleText('yellow', `, ${counted(parked, 'message')} ${parked === 1 ? 'waits' : 'wait'} for the relay`)}`,
  ];
  const rows = partitions.map((partition) => row(partition, now));
  return [
    ...lines,
    table(
      ['', 'PART', 'LAG', 'NEXT', 'STATE', 'BLOCKED', 'TRIES', 'NEXT TRY', 'SINCE', 'HELD', 'ERROR'],
      WIDTHS,
      rows,
      WIDTH,
    ),
    ...partitions.filter(({ state }) => state === 'replay halted').map((one) => decisions(topic, one, commandTarget)),
  ].join('\n');
}

/** The decisions about a halted replay, as in the log and the alarm. */
function decisions(topic: string, { partition }: PartitionStatus, commandTarget: string): string {
  const { takeAsDuplicates, runAgain, forgetPartition } = replayCommands({ topic, partition }, commandTarget);
  return [
    `  ${topic}-${partition} waits for a decision (docs/runbook.md#replay-halted):`,
    `    they were handled:          ${takeAsDuplicates}`,
    `    they must run again:        ${runAgain}`,
    `    the topic was recreated:    ${forgetPartition}`,
  ].join('\n');
}

/** What a command line says of a consumer: `--stack Prod --consumer Orders`. */
export function commandTargetOf(
  { local }: Pick<CommonOptions, 'local'>,
  { consumer, stack }: Pick<ConsumerStatus, 'consumer' | 'stack'>,
): string {
  const where = local || stack === undefined || stack === '' ? '--local' : `--stack ${stack}`;
  return `${where} --consumer ${consumer.split('/').at(-1)}`;
}

/** Room for a lag of millions and for offsets of billions: people copy offsets from here into `lockstep skip`. */
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
      ? 'gives up'
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
