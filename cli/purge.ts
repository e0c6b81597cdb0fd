import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { OperatorError } from '../shared/operator-errors.ts';
import { oneConsumer } from './consumer.ts';
import { type CommonOptions, EXIT, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { filterOf, type LetterOptions, withLetterOptions } from './letter-options.ts';
import { run, summary } from './redrive.ts';
import { whoAmI } from './who.ts';
import { number } from './words.ts';

export const purge = withLetterOptions(new Command('purge'))
  .description('Takes letters off the list for good: nothing returns. Their bytes go with the retention of the topic.')
  .option('--dry-run', 'only count')
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    example(
      'lockstep purge --local --error OrderInvalid',
      'lockstep purge --stack Lockstep-Orders-prod --until 30d --yes',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & LetterOptions & { dryRun?: boolean; yes?: boolean }>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    const order = { type: 'purge', filter: filterOf(options, Date.now()), dryRun: true, by: whoAmI() } as const;
    const counted = await target.operate(consumer, order);
    say(`${number(counted.selected)} letters of ${consumer.deadLetterTopic} are given up for good.`);
    const { dryRun = false } = options;
    const goesOn = !dryRun && counted.selected > 0;
    if (goesOn && !options.yes && !(await agrees()))
      throw new OperatorError('OPERATION_REFUSED', 'purge was not confirmed');
    const report = goesOn ? await run(target, consumer, { ...order, dryRun: false }, options) : counted;
    if (report.left > 0 && !dryRun) process.exitCode = EXIT.unfinished;
    print(options, { ...report, dryRun }, () => (dryRun ? 'Nothing was changed.' : summary(report, 'purged')));
  });

/** Where nobody can be asked, the answer is no. */
async function agrees(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    say('Nobody can be asked here: give --yes.');
    return false;
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question('Type `purge` to go on: ');
  asking.close();
  return answer.trim() === 'purge';
}
