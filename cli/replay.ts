import { Command } from 'commander';
import { partitionName } from '../shared/record/item-identifier.ts';
import { type ConfirmOptions, confirm } from './confirm.ts';
import { consumerOfTopic } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, say } from './context.ts';
import { example } from './example.ts';
import { spanNamed } from './named.ts';
import { counted, number } from './words.ts';

export const replay = new Command('replay')
  .description(
    'Writes copies of a range of records to the end of their partition, in order. Completed idempotency keys make them duplicates.',
  )
  .argument('<range>', 'partition and offsets, both included: orders-3@1042-1060')
  .option('--dry-run', 'only count')
  .option('--yes', 'do not ask for confirmation')
  .addHelpText(
    'after',
    example(
      'lockstep replay orders-3@1042-1060 --local --dry-run',
      'lockstep replay orders-3@1042 --stack Lockstep-Orders-prod',
    ),
  )
  .action(async (text: string, _, command: Command) => {
    const options = optionsOf<CommonOptions & ConfirmOptions & { dryRun?: boolean }>(command);
    const { fromOffset, toOffset, ...place } = spanNamed(text);
    await using target = await openTarget(options);
    const consumer = consumerOfTopic(target.consumers, options.consumer, place.topic);
    const { dryRun = false } = options;
    const name = partitionName(place);
    say(
      `Records ${fromOffset} to ${toOffset} of ${name} are copied to the end of the partition, for ${consumer.name}${dryRun ? ' (not now: --dry-run)' : ''}.`,
    );
    if (!dryRun) await confirm('replay', options);
    const by = await target.who();
    let records = 0;
    for (let next: number | undefined = fromOffset; next !== undefined; ) {
      const part: { readonly records: number; readonly next?: number } = await target.operate(consumer, {
        type: 'replay',
        partition: place.partition,
        fromOffset: next,
        toOffset,
        dryRun,
        by,
      });
      records += part.records;
      next = part.next;
      // All records of a call are written, or none. So a stopped command knows where to go on.
      if (next !== undefined) say(`${number(records)} records, up to ${next - 1}`);
    }
    print(options, { records, dryRun }, () => `${counted(records, 'record')}${dryRun ? ' would be' : ''} written.`);
  });
