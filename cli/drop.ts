import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { Command } from 'commander';
import { dynamoDbParkedKeys } from '../shared/adapters/dynamodb/dynamodb-parked-keys.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import { systemEntropy } from '../shared/adapters/system/system-entropy.ts';
import { settledOrdinal } from '../shared/decide/parking.ts';
import { decisionAction } from '../shared/operator/change-partition.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { includesOffset } from '../shared/record/offset-ranges.ts';
import { dropParked } from '../shared/release/drop-parked.ts';
import { type DeployedConsumer, oneConsumer } from './consumer.ts';
import { ledgerItem, ledgerOf } from './consumer-state.ts';
import { openTarget, optionsOf } from './context.ts';
import { example } from './example.ts';
import { someText } from './numbers.ts';
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
import { counted } from './words.ts';

/** How long a drop may wait for whoever holds the key. */
const PATIENCE_MS = 30_000;

interface DropOptions extends CarryOutOptions, KeyOptions {
  readonly missing?: boolean;
}

export const drop = withKeyOptions(new Command('drop'))
  .description(
    'Gives up on the records that wait in parked keys, as many as it shows, never on what has come since. A key is free when nothing is left. Who and why is kept in the ledger.',
  )
  .option('--missing', 'only the next records, if their letters are lost: what waits behind them stays parked')
  .requiredOption('--why <text>', 'why, for those who ask later', someText)
  .option('--dry-run', 'only say what it would do')
  .option('--yes', 'do not ask')
  .addHelpText('after', example('lockstep drop --local --key SKU-7 --why "test data, ticket 4711"'))
  .action(async (_, command: Command) => {
    const options = optionsOf<DropOptions>(command);
    await using target = await openTarget(options);
    await carryOut('drop', options, await planDrop(target, options));
  });

interface Dropped {
  readonly key: string;
  readonly records: number;
  readonly freed: boolean;
  readonly left: number;
}

interface Ended {
  readonly dryRun: false;
  readonly keys: readonly Dropped[];
}

/** Which records a drop would give up on. @throws LockstepError COMMAND_LINE_INVALID, CONSUMER_UNKNOWN, OPERATION_REFUSED */
export async function planDrop(target: Target, options: DropOptions): Promise<Plan<Ended>> {
  const consumer = oneConsumer(target.consumers, options.consumer);
  const keys = chosenKeys(await parkedKeysOf(target, consumer), options);
  const now = Date.now();
  const orders = await Promise.all(
    keys.map(async (found) => {
      const settled = settledOrdinal(found.item.progress);
      const upTo = options.missing ? await lastMissing(target, consumer, found) : found.item.tail;
      const says = `${named(found, now)}; gives up on ${counted(upTo - settled, 'record')}, numbers ${settled + 1} to ${upTo}.`;
      return { found, upTo, records: upTo - settled, says };
    }),
  );
  return {
    says: orders.map(({ says }) => says),
    isEmpty: false,
    dry: { dryRun: true, keys: orders.map(({ found, records }) => ({ key: textOf(found.item), records })) },
    async run({ why = '', onProgress, signal }) {
      const who = await target.who();
      const dropped: Dropped[] = [];
      for (const { found, upTo, records } of orders) {
        if (signal?.aborted) break;
        const ended = await dropKey(target, consumer, found, upTo, { who, why });
        dropped.push({ key: textOf(found.item), records, ...ended });
        onProgress?.(dropped.length, orders.length);
      }
      return { dryRun: false, keys: dropped };
    },
    text: ({ keys: all }) =>
      all
        .map(({ key, freed, left }) =>
          freed
            ? `${key}: the key is free.`
            : `${key}: ${counted(left, 'record')} still ${left === 1 ? 'waits' : 'wait'}.`,
        )
        .join('\n'),
    isDone: () => true,
  };
}

async function dropKey(
  target: Target,
  consumer: DeployedConsumer,
  { place, item }: FoundKey,
  upTo: number,
  { who, why }: { readonly who: string; readonly why: string },
): Promise<{ readonly freed: boolean; readonly left: number }> {
  const { ledgerTable } = consumer;
  const ports = {
    ledger: ledgerOf(target, consumer),
    parkedKeys: dynamoDbParkedKeys({ client: target.dynamodb, table: ledgerTable, clock: systemClock }),
    clock: systemClock,
    entropy: systemEntropy,
  };
  const startedAt = systemClock.now();
  const endAt = startedAt + PATIENCE_MS;
  const plan = { startedAt, abortAt: endAt, stallAt: endAt, answerBy: endAt, deadline: endAt };
  const { parkedKey: _, ...partition } = place;
  const ended = await dropParked({ partition: place, sequence: item.sequence }, upTo, ports, { plan }, (now) => [
    decisionAction(
      ledgerTable,
      { partition, change: { type: 'drop', behind: item.behind, upTo }, who, why, force: false },
      now.epoch,
      systemClock.now(),
    ),
  ]);
  if (ended.type === 'dropped') return ended;
  const said = {
    busy: 'an invocation or a release holds the key or its partition: run the same command again',
    notParked: 'the key is not parked any more, or was parked anew',
    lost: 'somebody else took the key over: see `lockstep parked`',
  };
  throw new OperatorError('OPERATION_REFUSED', `drop of key ${textOf(item)}: ${said[ended.why]}`);
}

/**
 * The last of the next records whose letters are nowhere: not on the dead-letter topic, not in the fallback queue, and not due.
 *
 * @throws LockstepError OPERATION_REFUSED where the next letter is there, or may still come
 */
async function lastMissing(target: Target, consumer: DeployedConsumer, { place, item }: FoundKey): Promise<number> {
  const key = textOf(item);
  const refuse = (why: string) => new OperatorError('OPERATION_REFUSED', `drop --missing of key ${key}: ${why}`);
  const { ordinals } = await target.operate(consumer, { type: 'parkedLetters', sequence: item.sequence });
  const first = settledOrdinal(item.progress) + 1;
  if (includesOffset(ordinals, first)) throw refuse(`the letter of number ${first} is there: release the key`);
  let last = first;
  while (last < item.tail && !includesOffset(ordinals, last + 1)) last++;
  const { blockedRecords, goneMarks = [] } = (await ledgerItem(target, consumer, place.partition))?.progress ?? {
    blockedRecords: new Map(),
  };
  const isDue = [...blockedRecords.values(), ...goneMarks].some(
    ({ parked }) => parked?.sequence === item.sequence && parked.ordinal >= first && parked.ordinal <= last,
  );
  if (isDue)
    throw refuse(
      'its letter is still due: the consumer sends it when Lambda delivers its record again. If the topic was created again since, that record never comes: `lockstep reset` of the partition lets the letter be written without it',
    );
  if ((await inQueue(target, consumer)) > 0)
    throw refuse('the fallback queue is not empty: its letter may be in it, and the relay brings it to its topic');
  return last;
}

/** Entries that are visible, handed out or delayed. */
async function inQueue({ sqs }: Target, { fallbackQueueUrl }: DeployedConsumer): Promise<number> {
  const names = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const;
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: fallbackQueueUrl, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
