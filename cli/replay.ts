import { Command } from 'commander';
import { partitionName } from '../shared/record/item-identifier.ts';
import { consumerOfTopic } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf } from './context.ts';
import { example } from './example.ts';
import { spanNamed } from './named.ts';
import { type CarryOutOptions, carryOut, type Plan, type Running } from './plan.ts';
import type { Target } from './target.ts';
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
    const options = optionsOf<CarryOutOptions>(command);
    spanNamed(text);
    await using target = await openTarget(options);
    await carryOut('replay', options, await planReplay(target, options, text));
  });

interface Copied {
  readonly records: number;
  readonly dryRun: boolean;
}

/** Which records a replay would copy. @throws LockstepError COMMAND_LINE_INVALID, CONSUMER_UNKNOWN, OPERATION_REFUSED */
export async function planReplay(
  target: Target,
  { consumer: name }: CommonOptions,
  text: string,
): Promise<Plan<Copied>> {
  const { fromOffset, toOffset, ...place } = spanNamed(text);
  const consumer = consumerOfTopic(target.consumers, name, place.topic);
  const by = await target.who();
  let found: number | undefined;
  const copy = async (dryRun: boolean, { say, onProgress, signal }: Running): Promise<number> => {
    let records = 0;
    for (let next: number | undefined = fromOffset; next !== undefined && !signal?.aborted; ) {
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
      if (next !== undefined) say?.(`${number(records)} records, up to ${next - 1}`);
      onProgress?.(records, found ?? records);
    }
    return records;
  };
  found = await copy(true, {});
  return {
    says: [
      `${counted(found, 'record')} of ${partitionName(place)}, offsets ${fromOffset} to ${toOffset}, ${found === 1 ? 'is' : 'are'} copied to the end of the partition, for ${consumer.name}.`,
    ],
    isEmpty: found === 0,
    dry: { records: found, dryRun: true },
    run: async (running) => ({ records: await copy(false, running), dryRun: false }),
    text: ({ records }) => `${counted(records, 'record')} written.`,
    isDone: ({ records }) => records >= (found ?? 0),
  };
}
