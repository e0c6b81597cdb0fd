import { Command } from 'commander';
import { type ChangeOptions, change } from './change.ts';
import { optionsOf } from './context.ts';
import { example } from './example.ts';
import { recordNamed } from './named.ts';
import { someText } from './numbers.ts';

export const skip = new Command('skip')
  .description(
    'Lets a partition go on without a record that blocks it: not handled, no letter. Who and why is kept in the ledger.',
  )
  .argument('<record>', 'as `lockstep blocked` names it: orders-3@1042')
  .requiredOption('--why <text>', 'why, for those who ask later', someText)
  .option('--force', 'even if an invocation holds the partition')
  .option('--dry-run', 'only say what it would do')
  .option('--yes', 'do not ask')
  .addHelpText('after', example('lockstep skip orders-3@1042 --local --why "test order of support, ticket 4711"'))
  .action(async (record: string, _, command: Command) => {
    const options = optionsOf<ChangeOptions>(command);
    const position = recordNamed(record);
    await change(options, position, { type: 'skip', offset: position.offset });
  });
