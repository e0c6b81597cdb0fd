import { Command } from 'commander';
import { chosen } from './consumer.ts';
import { type CommonOptions, openTarget, optionsOf, print, WIDTH } from './context.ts';
import { example } from './example.ts';
import { type ParkedLine, parkedKeysOf, parkedLine } from './parked-keys.ts';
import { table } from './table.ts';
import { number, shortDuration } from './words.ts';

export const parked = new Command('parked')
  .description('Parked keys: how many records wait in each, since when, and behind which.')
  .addHelpText('after', example('lockstep parked --local', 'lockstep parked --stack Lockstep-Stock-prod --json'))
  .action(async (_, command: Command) => {
    const options = optionsOf<CommonOptions>(command);
    await using target = await openTarget(options);
    const now = Date.now();
    const lines: ParkedLine[] = [];
    for (const consumer of chosen(target.consumers, options.consumer))
      for (const found of await parkedKeysOf(target, consumer)) lines.push(parkedLine(consumer, found, now));
    print(options, lines, (all) => describe(all, now));
  });

function describe(lines: readonly ParkedLine[], now: number): string {
  if (lines.length === 0) return 'No key is parked.';
  const rows = lines.map(({ key, partition, waiting, since, behind, rounds, fingerprint, lastError }) => [
    key,
    partition,
    number(waiting),
    shortDuration(now - Date.parse(since)),
    behind,
    String(rounds),
    lastError ?? fingerprint,
  ]);
  return table(
    ['KEY', 'PARTITION', 'WAITING', 'SINCE', 'BEHIND', 'TRIES', 'ERROR'],
    [20, 14, 8, 7, 18, 6, 0],
    rows,
    WIDTH,
  );
}
