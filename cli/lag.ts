import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { OperatorError } from '../shared/operator-errors.ts';
import { chosen } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { seconds, wholeNumber } from './numbers.ts';
import { table } from './table.ts';
import type { Target } from './target.ts';
import { counted, number } from './words.ts';

interface Lag {
  readonly at: string;
  readonly consumer: string;
  readonly partition: number;
  readonly lag: number;
  /** How many records the group moved on in a second since the last measurement; absent at the first one. */
  readonly perSecond?: number;
}

export const lag = new Command('lag')
  .description('Shows how many records each partition is behind. With --watch: repeatedly, and how fast it moves.')
  .option('--watch [seconds]', 'measure again after this many seconds, until Ctrl-C', seconds(0.1, 86_400))
  .option('--times <count>', 'with --watch: stop after this many measurements', wholeNumber(1))
  .addHelpText(
    'after',
    example('lockstep lag --local --watch', 'lockstep lag --stack Lockstep-Orders-prod --watch 10 --json'),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions & { watch?: number | true; times?: number }>(command);
    if (options.times !== undefined && options.watch === undefined)
      throw new OperatorError(
        'COMMAND_LINE_INVALID',
        'expected --watch together with --times: without it there is one look',
      );
    const everyMs = options.watch === undefined ? 0 : (options.watch === true ? 2 : options.watch) * 1_000;
    await using target = await openTarget(options);
    const before = new Map<string, { readonly next: number; readonly at: number }>();
    for (let looks = 1; ; looks++) {
      const found = await look(target, options.consumer, before);
      print(options, found, describe);
      if (everyMs === 0 || looks === options.times) return;
      await sleep(everyMs);
    }
  });

async function look(
  target: Target,
  name: string | undefined,
  before: Map<string, { readonly next: number; readonly at: number }>,
): Promise<Lag[]> {
  const all = await Promise.all(
    chosen(target.consumers, name).map(async (consumer) => {
      const { partitions } = await target.operate(consumer, { type: 'topics' });
      const at = Date.now();
      return partitions.map(({ partition, start, end, committed = start }): Lag => {
        const key = `${consumer.name} ${partition}`;
        const last = before.get(key);
        before.set(key, { next: committed, at });
        return {
          at: new Date(at).toISOString(),
          consumer: consumer.name,
          partition,
          lag: Math.max(0, end - committed),
          ...(last !== undefined && {
            perSecond: Math.round(((committed - last.next) * 1_000) / Math.max(1, at - last.at)),
          }),
        };
      });
    }),
  );
  return all.flat();
}

function describe(found: readonly Lag[]): string {
  const rows = found.map(({ consumer, partition, lag: behind, perSecond }) => [
    consumer,
    String(partition),
    number(behind),
    perSecond === undefined ? '' : `${number(perSecond)}/s`,
    perSecond === undefined || behind === 0
      ? ''
      : perSecond > 0
        ? `about ${Math.ceil(behind / perSecond)} s left`
        : 'no progress',
  ]);
  const total = found.reduce((sum, one) => sum + one.lag, 0);
  return `${table(['CONSUMER', 'PART', 'LAG', 'MOVES', ''], [24, 6, 14, 14, 0], rows, WIDTH)}\n${counted(total, 'record')} behind in all, ${found[0]?.at ?? ''}`;
}
