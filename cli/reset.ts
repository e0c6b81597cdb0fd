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
  .description('Makes the ledger forget a partition, decides about a halted replay, or closes the flood breaker.')
  .argument('<partition>', 'as `lockstep status` names it: orders-3')
  .addOption(new Option('--skip', 'take the records of the halted replay as duplicates').conflicts(['run', 'breaker']))
  .addOption(new Option('--run', 'run the records of the halted replay again').conflicts(['skip', 'breaker']))
  .addOption(new Option('--breaker', 'only close the flood breaker').conflicts(['skip', 'run']))
  .requiredOption('--why <text>', 'the reason; the ledger keeps it', someText)
  .option('--force', 'also if an invocation holds the partition')
  .option('--dry-run', 'only say what the command would do')
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    example(
      'lockstep reset orders-3 --local --skip --why "offsets were reset by mistake"',
      'lockstep reset orders-3 --local --why "topic was recreated"',
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
