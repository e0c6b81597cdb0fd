import { Command } from 'commander';
import { type ConfirmOptions, confirm } from './confirm.ts';
import { oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { filterOf, isAll, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { run, summary } from './redrive.ts';
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
    const options = optionsOf<CommonOptions & ConfirmOptions & LetterOptions & { dryRun?: boolean }>(command);
    const filter = filterOf(options);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    const order = { type: 'purge', filter, dryRun: true, by: await target.who() } as const;
    const found = await target.operate(consumer, order);
    const which = isAll(options) ? 'No filter is set, so this concerns all open dead letters: ' : '';
    const given = found.selected === 1 ? 'is' : 'are';
    say(`${which}${counted(found.selected, 'dead letter')} of ${consumer.deadLetterTopic} ${given} closed for good.`);
    const { dryRun = false } = options;
    const goesOn = !dryRun && found.selected > 0;
    if (goesOn) await confirm('purge', options);
    const report = goesOn ? await run(target, consumer, { ...order, dryRun: false }, options) : found;
    if (report.left > 0 && !dryRun) process.exitCode = EXIT.failed;
    print(options, { ...report, dryRun }, () => (dryRun ? 'Nothing was changed.' : summary(report, 'purged')));
  });
