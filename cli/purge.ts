import { Command } from 'commander';
import { oneConsumer } from './consumer.ts';
import { openTarget, optionsOf } from './context.ts';
import { example } from './example.ts';
import { filterOf, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { type CarryOutOptions, carryOut } from './plan.ts';
import { allIn, lettersPlan, type planRedrive, runInTerminal, summary } from './redrive.ts';
import type { Target } from './target.ts';
import { counted } from './words.ts';

export const purge = withLetterOptions(new Command('purge'))
  .description(
    'Closes dead letters for good: their records do not return. Their bytes are deleted by the retention of the topic.',
  )
  .option('--dry-run', 'only count')
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    example(
      'lockstep purge --local --error OrderInvalid',
      'lockstep purge --stack Lockstep-Orders-prod --until 30d --yes',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CarryOutOptions & LetterOptions>(command);
    filterOf(options);
    await using target = await openTarget(options);
    const plan = await planPurge(target, options);
    await carryOut('purge', options, plan, runInTerminal('Purge', plan, options));
  });

/** Which letters a purge would close. @throws LockstepError COMMAND_LINE_INVALID, CONSUMER_UNKNOWN */
export async function planPurge(
  target: Target,
  options: CarryOutOptions & LetterOptions,
): ReturnType<typeof planRedrive> {
  const consumer = oneConsumer(target.consumers, options.consumer);
  const order = { type: 'purge', filter: filterOf(options), dryRun: true, by: await target.who() } as const;
  const found = await target.operate(consumer, order);
  const given = found.selected === 1 ? 'is' : 'are';
  return {
    ...lettersPlan(target, consumer, order, found),
    says: [
      `${allIn(options)}${counted(found.selected, 'dead letter')} of ${consumer.deadLetterTopic} ${given} closed for good.`,
    ],
    text: (report) => summary(report, 'purged'),
    isDone: ({ left }) => left === 0,
  };
}
