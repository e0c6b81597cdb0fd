import { Command } from 'commander';
import { type ChangeOptions, change } from './change.ts';
import { optionsOf } from './context.ts';
import { example } from './example.ts';
import { recordNamed } from './named.ts';
import { someText } from './numbers.ts';

export const skip = new Command('skip')
  .description(
    'Settles a blocked record without handling it and without a dead letter. The ledger keeps who did it and why.',
  )
  .argument('<record>', 'as `lockstep blocked` names it: orders-3@1042')
  .requiredOption('--why <text>', 'the reason; the ledger keeps it', someText)
  .option('--force', 'also if an invocation holds the partition')
  .option('--dry-run', 'only say what the command would do')
  .option('--yes', 'do not ask for confirmation')
  .addHelpText('after', example('lockstep skip orders-3@1042 --local --why "test order of support, ticket 4711"'))
  .action(async (record: string, _, command: Command) => {
    const options = optionsOf<ChangeOptions>(command);
    const position = recordNamed(record);
    await change(options, position, { type: 'skip', offset: position.offset });
  });
