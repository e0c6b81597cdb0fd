import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import { chosen } from './consumer.ts';
import { type ConsumerStatus, consumerStatus, type PartitionStatus } from './consumer-state.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { table } from './table.ts';
import { number, shortDuration } from './words.ts';

/** States in which nothing moves until somebody or something acts. */
const STUCK = new Set(['unreadable', 'replay halted', 'flood breaker', 'blocked', 'waiting']);

export const status = new Command('status')
  .description('Each consumer and its partitions: lag, next offset, what blocks, for how long, who holds it.')
  .addOption(new Option('--fail-if-stuck', `exit with ${EXIT.stuck} when a partition is stuck`))
  .addHelpText(
    'after',
    example('lockstep status --local', 'lockstep status --stack Lockstep-Orders-prod --consumer Orders --json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { failIfStuck?: boolean }>(command);
    await using target = await openTarget(options);
    const now = Date.now();
    const all = await Promise.all(
      chosen(target.consumers, options.consumer).map((one) => consumerStatus(target, one, now)),
    );
    print(options, all, (found) => found.map((one) => describe(one, now)).join('\n\n'));
    if (options.failIfStuck && all.some(({ partitions }) => partitions.some(isStuck))) process.exitCode = EXIT.stuck;
  });

function isStuck({ state }: PartitionStatus): boolean {
  return STUCK.has(state);
}

/** For people: a line about the consumer, then a row for each partition, the stuck ones marked. */
export function describe(status: ConsumerStatus, now: number): string {
  const {
    consumer,
    topic,
    group,
    mapping,
    deadLetterTopic,
    onDeadLetterTopic,
    inFallbackQueue,
    inFailureQueue = 0,
    partitions,
  } = status;
  const stuck = partitions.filter(isStuck).length;
  const verdict =
    stuck === 0
      ? styleText('green', '● nothing stuck')
      : styleText(['red', 'bold'], `✖ ${stuck} of ${partitions.length} partitions stuck`);
  const parked = inFallbackQueue + inFailureQueue;
  const lines = [
    `${styleText('bold', consumer)}  ${verdict}`,
    `  topic ${topic}, group ${group}, mapping ${mapping === 'Enabled' ? mapping : styleText('yellow', mapping)}`,
    `  ${number(onDeadLetterTopic)} records on ${deadLetterTopic}${parked === 0 ? '' : styleText('yellow', `, ${parked} entries wait for the relay`)}`,
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
  ].join('\n');
}

/** Room for a lag of millions and for offsets of billions: `lockstep skip` takes them from here. */
const WIDTHS = [2, 5, 10, 11, 14, 14, 6, 9, 8, 6, 0];

function row(partition: PartitionStatus, now: number): string[] {
  const { lag, next, state, blockedRecords, blockedSince, heldUntil } = partition;
  const blocked = blockedRecords[0];
  const cells = [
    isStuck(partition) ? '✖' : ' ',
    String(partition.partition),
    number(lag),
    String(next),
    state,
    blocked === undefined
      ? ''
      : `${blocked.offset}${blockedRecords.length > 1 ? ` +${blockedRecords.length - 1}` : ''}`,
    blocked === undefined ? '' : `${blocked.attempts}${blocked.interruptions > 0 ? `+${blocked.interruptions}` : ''}`,
    blocked?.exhausted
      ? 'letter'
      : blocked?.notBefore === undefined
        ? ''
        : blocked.notBefore > now
          ? shortDuration(blocked.notBefore - now)
          : 'now',
    blockedSince === undefined ? '' : shortDuration(now - blockedSince),
    heldUntil === undefined ? '' : shortDuration(heldUntil - now),
    blocked?.error?.name ?? '',
  ];
  return isStuck(partition) ? cells.map((cell) => styleText(['red', 'bold'], cell)) : cells;
}
