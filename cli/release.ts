import { Command } from 'commander';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { oneConsumer } from './consumer.ts';
import { openTarget, optionsOf } from './context.ts';
import { example } from './example.ts';
import {
  chosenKeys,
  type FoundKey,
  type KeyOptions,
  named,
  parkedKeysOf,
  textOf,
  withKeyOptions,
} from './parked-keys.ts';
import { type CarryOutOptions, carryOut, type Plan } from './plan.ts';
import type { Target } from './target.ts';
import { visible } from './visible.ts';
import { counted } from './words.ts';

type Released = OperatorAnswers['release'] & { readonly key: string };

type ReleaseOptions = CarryOutOptions & KeyOptions;

export const release = withKeyOptions(new Command('release'))
  .description(
    'Runs the records of parked keys again, in order, through the deployed function: first the one that failed. A key is free when all of them are settled. Nothing is written to the source topic.',
  )
  .option('--dry-run', 'only say what it would do')
  .option('--yes', 'do not ask')
  .addHelpText(
    'after',
    example(
      'lockstep release --local --key SKU-7',
      'lockstep release --stack Lockstep-Stock-prod --fingerprint 3f9a --yes',
    ),
  )
  .action(async (_, command: Command) => {
    const options = optionsOf<ReleaseOptions>(command);
    await using target = await openTarget(options);
    await carryOut('release', options, await planRelease(target, options));
  });

interface Ended {
  readonly dryRun: false;
  readonly keys: readonly Released[];
}

/** Which keys a release would run. @throws LockstepError COMMAND_LINE_INVALID, CONSUMER_UNKNOWN, OPERATION_REFUSED */
export async function planRelease(target: Target, options: ReleaseOptions): Promise<Plan<Ended>> {
  const consumer = oneConsumer(target.consumers, options.consumer);
  const now = Date.now();
  const keys = chosenKeys(await parkedKeysOf(target, consumer), options);
  return {
    says: keys.map((found) => `${named(found, now)}.`),
    isEmpty: false,
    dry: { dryRun: true, keys: keys.map(keyOf) },
    async run({ onProgress, signal }) {
      const by = await target.who();
      const released: Released[] = [];
      for (const { place, item } of keys) {
        if (signal?.aborted) break;
        const { partition, parkedKey = '' } = place;
        const order = { type: 'release', partition, parkedKey, sequence: item.sequence, by } as const;
        let ended = await target.operate(consumer, order);
        // The operator function has a time limit: the same request goes on.
        while (ended.end === 'timeIsUp' && ended.settled > 0 && !signal?.aborted)
          ended = plus(ended, await target.operate(consumer, order));
        released.push({ key: textOf(item), ...ended });
        onProgress?.(released.length, keys.length);
      }
      return { dryRun: false, keys: released };
    },
    text: ({ keys: all }) => all.map(describe).join('\n'),
    isDone: ({ keys: all }) => all.length === keys.length && all.every(({ end }) => end === 'freed'),
  };
}

function keyOf({ item }: FoundKey): { readonly key: string; readonly sequence: string } {
  return { key: textOf(item), sequence: item.sequence };
}

function plus(before: OperatorAnswers['release'], after: OperatorAnswers['release']): OperatorAnswers['release'] {
  return { ...after, settled: before.settled + after.settled, gone: before.gone + after.gone };
}

function describe({ key, end, settled, gone, next, why, until }: Released): string {
  const lost = gone > 0 ? `, ${counted(gone, 'record')} of them gone from Kafka before they were parked` : '';
  const done = `${visible(key)}: ${counted(settled, 'record')} settled${lost}`;
  const when = until === undefined ? '' : `, not before ${new Date(until).toISOString()}`;
  switch (end) {
    case 'freed':
      return `${done}; the key is free.`;
    case 'halted':
      return `${done}; number ${next} stays parked: ${why ?? 'it did not settle'}${when}. See the log of the function.`;
    case 'missing':
      return `${done}; the letter of number ${next} is not on the dead-letter topic: on its way from the fallback queue, or taken by retention. If it is lost: lockstep drop --missing.`;
    case 'tooLarge':
      return `${done}; the letter of number ${next} does not fit an event of Lambda (6 MB): only lockstep drop goes on.`;
    case 'more':
    case 'timeIsUp':
      return `${done}; more waits: run the same command again.`;
    case 'busy':
      return `${done}; an invocation holds the key or its partition: run the same command again.`;
    case 'notParked':
      return `${visible(key)} is not parked any more, or was parked anew: nothing ran.`;
    case 'lost':
      return `${done}; the function did not say how it ended: run the same command again.`;
  }
}
