import { Command, Option } from 'commander';
import { type ChangeOptions, change } from './change.ts';
import { optionsOf } from './context.ts';
import { example } from './example.ts';
import { partitionNamed } from './named.ts';
import { someText } from './numbers.ts';

interface Options extends ChangeOptions {
  readonly skip?: boolean;
  readonly run?: boolean;
  readonly breaker?: boolean;
}

export const reset = new Command('reset')
  .description('Makes the ledger forget a partition, or decides about a halted replay, or closes the flood breaker.')
  .argument('<partition>', 'as `lockstep status` names it: orders-3')
  .addOption(new Option('--skip', 'takes the halted replay as duplicates').conflicts(['run', 'breaker']))
  .addOption(new Option('--run', 'runs the halted replay again').conflicts(['skip', 'breaker']))
  .addOption(new Option('--breaker', 'only closes the flood breaker').conflicts(['skip', 'run']))
  .requiredOption('--why <text>', 'why, for those who ask later', someText)
  .option('--force', 'even if an invocation holds the partition')
  .option('--dry-run', 'only say what it would do')
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    example(
      'lockstep reset orders-3 --local --skip --why "offsets were set back by mistake"',
      'lockstep reset orders-3 --local --why "topic made anew"',
    ),
  )
  .action(async (name: string, _, command: Command) => {
    const options = optionsOf<Options>(command);
    const place = partitionNamed(name);
    const type = options.skip
      ? 'acceptAsDuplicates'
      : options.run
        ? 'acceptToRun'
        : options.breaker
          ? 'closeBreaker'
          : 'reset';
    await change(options, place, { type });
  });
