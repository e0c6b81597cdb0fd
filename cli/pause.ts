import { setTimeout as sleep } from 'node:timers/promises';
import { GetEventSourceMappingCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { Command } from 'commander';
import { type ChangeOptions, change } from './change.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { ledgerItem } from './consumer-state.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { partitionNamed } from './named.ts';
import { seconds, someText } from './numbers.ts';
import type { Target } from './target.ts';

/** Between two looks. */
const LOOK_EVERY_MS = 500;

export const pause = new Command('pause')
  .description('Disables the mapping of a consumer and waits for the batches in flight: a graceful stop.')
  .option('--timeout <seconds>', 'wait at most so long', seconds(0, 86_400), 900)
  .addHelpText(
    'after',
    example(
      'lockstep pause --local --consumer Orders',
      'lockstep pause --stack Lockstep-Orders-prod --consumer Orders --timeout 120',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { timeout: number }>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    say(`The mapping of ${consumer.name} (${consumer.mappingId}) is disabled; batches in flight end as they would.`);
    await target.lambda.send(new UpdateEventSourceMappingCommand({ UUID: consumer.mappingId, Enabled: false }));
    const until = Date.now() + options.timeout * 1_000;
    const paused = (await reaches(target, consumer, 'Disabled', until)) && (await untilFree(target, consumer, until));
    if (!paused) process.exitCode = EXIT.failed;
    print(options, { consumer: consumer.name, paused }, () =>
      paused
        ? `${consumer.name} is paused: nothing is in flight. \`lockstep resume\` lets it go on.`
        : 'The mapping is disabled, but a batch is still in flight.',
    );
  });

export const resume = new Command('resume')
  .description(
    'Enables the mapping of a consumer again; it goes on where it stopped. With --partition: ends the pause that a handler asked for.',
  )
  .option('--partition <name>', 'as `lockstep status` shows it: orders-3')
  .option('--why <text>', 'with --partition: why, for those who ask later', someText)
  .option('--force', 'with --partition: even if an invocation holds it')
  .option('--yes', 'with --partition: do not ask')
  .option('--timeout <seconds>', 'wait at most so long', seconds(0, 86_400), 900)
  .addHelpText(
    'after',
    example(
      'lockstep resume --local --consumer Orders',
      'lockstep resume --stack Lockstep-Orders-prod --partition orders-3 --why "the service is back"',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<ChangeOptions & { timeout: number; partition?: string }>(command);
    if (options.partition !== undefined)
      return change(options, partitionNamed(options.partition), { type: 'liftPause' });
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    say(`The mapping of ${consumer.name} (${consumer.mappingId}) is enabled.`);
    await target.lambda.send(new UpdateEventSourceMappingCommand({ UUID: consumer.mappingId, Enabled: true }));
    const resumed = await reaches(target, consumer, 'Enabled', Date.now() + options.timeout * 1_000);
    if (!resumed) process.exitCode = EXIT.failed;
    print(options, { consumer: consumer.name, resumed }, () =>
      resumed ? `${consumer.name} goes on.` : 'The mapping is still on its way.',
    );
  });

async function reaches(
  { lambda }: Target,
  { mappingId: UUID }: DeployedConsumer,
  wanted: string,
  until: number,
): Promise<boolean> {
  for (;;) {
    const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    if (State === wanted) return true;
    if (Date.now() >= until) return false;
    await sleep(LOOK_EVERY_MS);
  }
}

/** No partition is held by a living invocation any more. */
async function untilFree(target: Target, consumer: DeployedConsumer, until: number): Promise<boolean> {
  const { partitions } = await target.operate(consumer, { type: 'topics' });
  for (;;) {
    const items = await Promise.all(partitions.map(({ partition }) => ledgerItem(target, consumer, partition)));
    if (!items.some((item) => item?.owner !== undefined && item.leaseUntil >= Date.now())) return true;
    if (Date.now() >= until) return false;
    await sleep(LOOK_EVERY_MS);
  }
}
