import { GetEventSourceMappingCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import { type ChangeOptions, change } from './change.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { ledgerItem } from './consumer-state.ts';
import { type CommonOptions, openTarget, optionsOf } from './context.ts';
import { example } from './example.ts';
import { partitionNamed } from './named.ts';
import { seconds, someText } from './numbers.ts';
import { carryOut, type Plan } from './plan.ts';
import type { Target } from './target.ts';
import { untilFound, type Wait } from './until.ts';

interface MappingOptions extends CommonOptions {
  /** Seconds. */
  readonly timeout: number;
}

interface Paused {
  readonly consumer: string;
  readonly paused: boolean;
}

interface Resumed {
  readonly consumer: string;
  readonly resumed: boolean;
}

export const pause = new Command('pause')
  .description('Disables the mapping of a consumer, and waits until the batches in flight have ended.')
  .option('--timeout <seconds>', 'the longest time to wait', seconds(0, 86_400), 900)
  .addHelpText(
    'after',
    example(
      'lockstep pause --local --consumer Orders',
      'lockstep pause --stack Lockstep-Orders-prod --consumer Orders --timeout 120',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<MappingOptions>(command);
    await using target = await openTarget(options);
    await carryOut('pause', { ...options, yes: true }, planPause(target, options));
  });

export const resume = new Command('resume')
  .description(
    'Enables the mapping of a consumer again. It goes on where it stopped. With --partition: ends the pause that a handler asked for.',
  )
  .option('--partition <name>', 'as `lockstep status` shows it: orders-3')
  .option('--why <text>', 'with --partition: the reason; the ledger keeps it', someText)
  .option('--force', 'with --partition: also if an invocation holds the partition')
  .option('--yes', 'with --partition: do not ask for confirmation')
  .option('--timeout <seconds>', 'the longest time to wait', seconds(0, 86_400), 900)
  .addHelpText(
    'after',
    example(
      'lockstep resume --local --consumer Orders',
      'lockstep resume --stack Lockstep-Orders-prod --partition orders-3 --why "the service is back"',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<ChangeOptions & MappingOptions & { partition?: string }>(command);
    if (options.partition !== undefined)
      return change(options, partitionNamed(options.partition), { type: 'liftPause' });
    await using target = await openTarget(options);
    await carryOut('resume', { ...options, yes: true }, planResume(target, options));
  });

/** What a pause of a consumer would do. @throws LockstepError CONSUMER_UNKNOWN */
export function planPause(target: Target, { consumer: name, timeout }: MappingOptions): Plan<Paused> {
  const consumer = oneConsumer(target.consumers, name);
  return {
    says: [
      `The mapping of ${consumer.name} (${consumer.mappingId}) is disabled. Batches in flight are processed to their end.`,
    ],
    isEmpty: false,
    dry: { consumer: consumer.name, paused: false },
    async run({ signal }) {
      await target.lambda.send(new UpdateEventSourceMappingCommand({ UUID: consumer.mappingId, Enabled: false }));
      const wait = { until: Date.now() + timeout * 1_000, ...(signal && { signal }) };
      const paused = (await reaches(target, consumer, 'Disabled', wait)) && (await untilFree(target, consumer, wait));
      return { consumer: consumer.name, paused };
    },
    text: ({ paused }) =>
      paused
        ? `${consumer.name} is paused: no batch is in flight. \`lockstep resume\` starts it again.`
        : 'The mapping is disabled, but a batch is still in flight.',
    isDone: ({ paused }) => paused,
  };
}

/** What enabling a mapping would do. @throws LockstepError CONSUMER_UNKNOWN */
export function planResume(target: Target, { consumer: name, timeout }: MappingOptions): Plan<Resumed> {
  const consumer = oneConsumer(target.consumers, name);
  return {
    says: [`The mapping of ${consumer.name} (${consumer.mappingId}) is enabled.`],
    isEmpty: false,
    dry: { consumer: consumer.name, resumed: false },
    async run({ signal }) {
      await target.lambda.send(new UpdateEventSourceMappingCommand({ UUID: consumer.mappingId, Enabled: true }));
      const wait = { until: Date.now() + timeout * 1_000, ...(signal && { signal }) };
      return { consumer: consumer.name, resumed: await reaches(target, consumer, 'Enabled', wait) };
    },
    text: ({ resumed }) => (resumed ? `${consumer.name} goes on.` : 'The mapping is not enabled yet.'),
    isDone: ({ resumed }) => resumed,
  };
}

async function reaches(
  { lambda }: Target,
  { mappingId: UUID }: DeployedConsumer,
  wanted: string,
  wait: Wait,
): Promise<boolean> {
  const reached = await untilFound(async () => {
    const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    return State === wanted ? State : undefined;
  }, wait);
  return reached !== undefined;
}

/** Waits until no invocation holds a partition. */
async function untilFree(target: Target, consumer: DeployedConsumer, wait: Wait): Promise<boolean> {
  const { partitions } = await target.operate(consumer, { type: 'topics' });
  const free = await untilFound(async () => {
    const items = await Promise.all(partitions.map(({ partition }) => ledgerItem(target, consumer, partition)));
    return items.some((item) => item?.owner !== undefined && item.leaseUntil >= Date.now()) ? undefined : items;
  }, wait);
  return free !== undefined;
}
