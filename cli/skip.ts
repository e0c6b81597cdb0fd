import { Command } from 'commander';
import { OperatorError } from '../shared/operator-errors.ts';
import { parsePositionName } from '../shared/record/item-identifier.ts';
import { type ChangeOptions, change } from './change.ts';
import { optionsOf } from './context.ts';
import { example } from './example.ts';

export const skip = new Command('skip')
  .description(
    'Lets a partition go on without a record that blocks it: not handled, no letter. Who and why is kept in the ledger.',
  )
  .argument('<record>', 'as `lockstep blocked` names it: orders-3@1042')
  .requiredOption('--why <text>', 'why, for those who ask later')
  .option('--force', 'even if an invocation holds the partition')
  .option('--dry-run', 'only say what it would do')
  .addHelpText('after', example('lockstep skip orders-3@1042 --local --why "test order of support, ticket 4711"'))
  .action(async (record: string, _, command: Command) => {
    const options = optionsOf<ChangeOptions>(command);
    const position = parsePositionName(record);
    if (position === undefined)
      throw new OperatorError('OPERATOR_REQUEST_INVALID', `expected a record as orders-3@1042, got \`${record}\``);
    await change(options, position.partition, { type: 'skip', offset: position.offset });
  });
