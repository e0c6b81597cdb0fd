import { Command } from 'commander';
import { OperatorError } from '../shared/operator-errors.ts';
import { parsePartitionName } from '../shared/record/item-identifier.ts';
import { oneConsumer } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { span } from './letter-options.ts';
import { whoAmI } from './who.ts';
import { number } from './words.ts';

export const replay = new Command('replay')
  .description(
    'Writes copies of a span of records to the end of their partition, in order. Completed idempotency keys make them duplicates.',
  )
  .argument('<span>', 'partition and offsets, both included: orders-3@1042-1060')
  .option('--dry-run', 'only count')
  .addHelpText(
    'after',
    example(
      'lockstep replay orders-3@1042-1060 --local --dry-run',
      'lockstep replay orders-3@1042 --stack Lockstep-Orders-prod',
    ),
  )
  .action(async (text: string, _, command: Command) => {
    const options = optionsOf<CommonOptions & { dryRun?: boolean }>(command);
    await using target = await openTarget(options);
    const consumer = oneConsumer(target.consumers, options.consumer);
    const [name = '', offsets = ''] = text.split('@');
    const place = parsePartitionName(name);
    if (place === undefined || place.topic !== consumer.topic)
      throw new OperatorError(
        'OPERATOR_REQUEST_INVALID',
        `expected a span as ${consumer.topic}-3@1042-1060, got \`${text}\``,
      );
    const { fromOffset, toOffset } = span(offsets);
    const { dryRun = false } = options;
    say(
      `Records ${fromOffset} to ${toOffset} of ${name} are written to its end again${dryRun ? ' (not now: --dry-run)' : ''}.`,
    );
    let records = 0;
    for (let next: number | undefined = fromOffset; next !== undefined; ) {
      const part: { readonly records: number; readonly next?: number } = await target.operate(consumer, {
        type: 'replay',
        partition: place.partition,
        fromOffset: next,
        toOffset,
        dryRun,
        by: whoAmI(),
      });
      records += part.records;
      next = part.next;
      // All of a call is written or none: whoever is stopped here knows where to go on.
      if (next !== undefined) say(`${number(records)} records, up to ${next - 1}`);
    }
    print(options, { records, dryRun }, () => `${number(records)} records${dryRun ? ' would be' : ''} written.`);
  });
