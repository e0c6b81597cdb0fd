import type { Command } from 'commander';
import { dynamoDbParkedKeys } from '../shared/adapters/dynamodb/dynamodb-parked-keys.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import { settledOrdinal } from '../shared/decide/parking.ts';
import type { ParkedItem } from '../shared/decide/progress.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { type LedgerPartition, parkedKeyOf, partitionName } from '../shared/record/item-identifier.ts';
import type { DeployedConsumer } from './consumer.ts';
import { someText } from './numbers.ts';
import type { Target } from './target.ts';
import { shortDuration } from './words.ts';

/** A parked key, and where it is. */
export interface FoundKey {
  readonly place: LedgerPartition;
  readonly item: ParkedItem;
}

/** A parked key as commands print it. */
export interface ParkedLine {
  readonly consumer: string;
  /** As `orders-3`. */
  readonly partition: string;
  /** The key as text, its first bytes; bytes that are no UTF-8 are shown as replacement characters. */
  readonly key: string;
  readonly sequence: string;
  /** Records that wait. */
  readonly waiting: number;
  /** ISO 8601. */
  readonly since: string;
  /** The record that parked the key, as `orders-3@1042`. */
  readonly behind: string;
  readonly fingerprint: string;
  /** The ordinal that comes next. */
  readonly next: number;
  /** Releases that began with it. */
  readonly rounds: number;
  readonly heldUntil?: string;
  readonly lastError?: string;
}

/** Which parked keys are meant. */
export interface KeyOptions {
  readonly key?: string;
  readonly fingerprint?: string;
  readonly sequence?: string;
  readonly all?: boolean;
}

/** Adds the options that choose parked keys. */
export function withKeyOptions(command: Command): Command {
  return command
    .option('--key <text>', 'the key, as text', someText)
    .option('--fingerprint <text>', 'keys that were parked for this error, or how it begins', someText)
    .option(
      '--sequence <id>',
      'the key that is parked under it, as `lockstep parked --json` names it: also for a key that is no text',
      someText,
    )
    .option('--all', 'every parked key of the consumer');
}

/** The parked keys of a consumer, the oldest first. */
export async function parkedKeysOf(target: Target, consumer: DeployedConsumer): Promise<readonly FoundKey[]> {
  const { cluster, group, topic, ledgerTable } = consumer;
  const store = dynamoDbParkedKeys({ client: target.dynamodb, table: ledgerTable, clock: systemClock });
  const { partitions } = await target.operate(consumer, { type: 'topics' });
  const found = await Promise.all(
    partitions.map(async ({ partition }) => {
      const place = { cluster, group, topic, partition };
      const items = await store.list(place);
      return [...items].map(([parkedKey, item]) => ({ place: { ...place, parkedKey }, item }));
    }),
  );
  return found.flat().sort((a, b) => a.item.since - b.item.since);
}

/** Those that are meant. @throws LockstepError COMMAND_LINE_INVALID, OPERATION_REFUSED where none is */
export function chosenKeys(
  keys: readonly FoundKey[],
  { key, fingerprint, sequence, all }: KeyOptions,
): readonly FoundKey[] {
  if (key === undefined && fingerprint === undefined && sequence === undefined && all !== true)
    throw new OperatorError('COMMAND_LINE_INVALID', 'expected --key, --fingerprint, --sequence or --all');
  const name = key === undefined ? undefined : parkedKeyOf(Buffer.from(key));
  const found = keys.filter(
    ({ place, item }) =>
      (name === undefined || place.parkedKey === name) &&
      (sequence === undefined || item.sequence === sequence) &&
      (fingerprint === undefined || item.fingerprint.startsWith(fingerprint)),
  );
  if (found.length > 0) return found;
  throw new OperatorError(
    'OPERATION_REFUSED',
    key === undefined ? 'no such key is parked' : `key ${key} is not parked`,
  );
}

/** A parked key in words. */
export function parkedLine({ name }: DeployedConsumer, { place, item }: FoundKey, now: number): ParkedLine {
  const { progress, tail, since, behind, fingerprint, sequence, owner, leaseUntil } = item;
  const settled = settledOrdinal(progress);
  const head = progress.blockedRecords.get(settled + 1);
  return {
    consumer: name,
    partition: partitionName(place),
    key: textOf(item),
    sequence,
    waiting: tail - settled,
    since: new Date(since).toISOString(),
    behind,
    fingerprint,
    next: settled + 1,
    rounds: head?.rounds ?? 0,
    ...(owner !== undefined && leaseUntil >= now && { heldUntil: new Date(leaseUntil).toISOString() }),
    ...(head?.error !== undefined && { lastError: `${head.error.name}: ${head.error.text}` }),
  };
}

/** The key as text. */
export function textOf({ key }: ParkedItem): string {
  return Buffer.from(key, 'base64').toString();
}

/** A parked key as a sentence names it. */
export function named({ place, item }: FoundKey, now: number): string {
  const waiting = item.tail - settledOrdinal(item.progress);
  return `key ${textOf(item)} of ${partitionName(place)}: ${waiting} ${waiting === 1 ? 'record waits' : 'records wait'} behind ${item.behind} since ${shortDuration(now - item.since)}`;
}
