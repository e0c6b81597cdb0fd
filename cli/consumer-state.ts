import { setTimeout as sleep } from 'node:timers/promises';
import { GetEventSourceMappingCommand, type GetEventSourceMappingCommandOutput } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { dynamoDbLedgerStore } from '../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import type { BlockedRecord, PartitionItem } from '../shared/decide/progress.ts';
import { isPausedOnly, letterLimit } from '../shared/decide/retry-policy.ts';
import { isFull } from '../shared/decide/settle.ts';
import { LockstepError } from '../shared/errors.ts';
import type { SourcePartition } from '../shared/operator/answers.ts';
import { highest } from '../shared/record/offset-ranges.ts';
import type { DeployedConsumer } from './consumer.ts';
import type { Target } from './target.ts';

/** The state of a partition, the worst first. */
export type PartitionState =
  | 'unreadable'
  | 'replay halted'
  | 'flood breaker'
  | 'full'
  | 'blocked'
  | 'waiting'
  | 'paused'
  | 'not read'
  | 'lag grows'
  | 'running'
  | 'ok'
  | 'never claimed';

/** A partition in Kafka and in the ledger. */
export interface PartitionStatus {
  readonly partition: number;
  /** Records that the group has not committed. */
  readonly lag: number;
  /** How much the lag grew in a second; only for a lag that is large enough to be measured twice. */
  readonly lagGrowth?: number;
  /** The next offset that the mapping reads after a restart. */
  readonly next: number;
  readonly state: PartitionState;
  readonly blockedRecords: readonly BlockedRecord[];
  /** When the oldest blocked record first failed. */
  readonly blockedSince?: number;
  /** Until when an invocation holds the partition. */
  readonly heldUntil?: number;
  /** Until when a handler has paused the partition. */
  readonly pausedUntil?: number;
  readonly epoch?: number;
  /** Keys that are parked; absent for none. */
  readonly parked?: number;
}

/** A summary of a consumer. */
export interface ConsumerStatus {
  readonly consumer: string;
  readonly stack?: string;
  readonly topic: string;
  readonly group: string;
  /** `Enabled`, `Disabled`, or a state between them. */
  readonly mapping: string;
  /** Lambda's result of the mapping's last poll. */
  readonly lastResult?: string;
  /** Why the whole consumer does not read records, each reason in a sentence. */
  readonly problems: readonly string[];
  readonly deadLetterTopic: string;
  /** Dead letters that are neither redriven nor purged; absent where there are too many to count here. */
  readonly openLetters?: number;
  /** Offsets of the dead-letter topic: dead letters, open or not, and markers. */
  readonly onDeadLetterTopic: number;
  readonly inFallbackQueue: number;
  readonly inFailureQueue?: number;
  readonly partitions: readonly PartitionStatus[];
}

/** From this lag on it matters whether the lag grows. The same figure as the lag alarm's. */
const LARGE_LAG = 10_000;

/** A consumer's summary, with what it was made from. */
export interface ConsumerState {
  readonly status: ConsumerStatus;
  readonly mapping: GetEventSourceMappingCommandOutput;
  /** In the order of the status's partitions; absent where there is none, or where it cannot be read. */
  readonly items: readonly (PartitionItem | undefined)[];
}

/** The summary alone of {@link consumerState}. */
export async function consumerStatus(...given: Parameters<typeof consumerState>): Promise<ConsumerStatus> {
  return (await consumerState(...given)).status;
}

/**
 * Reads the state from Kafka, Lambda, SQS and then the ledger: what is settled meanwhile is in the ledger.
 *
 * @param growthOverMs - the time between two measurements of a large lag; 0 for one measurement
 * @param countLetters - reads the dead-letter topic through
 */
export async function consumerState(
  target: Target,
  consumer: DeployedConsumer,
  now: number,
  growthOverMs = 0,
  countLetters = true,
): Promise<ConsumerState> {
  const { name, topic, group, deadLetterTopic, mappingId, failureQueueUrl } = consumer;
  const [{ partitions, letters, openLetters }, mapping, inFallbackQueue, inFailureQueue] = await Promise.all([
    target.operate(consumer, { type: 'topics', countLetters }),
    target.lambda.send(new GetEventSourceMappingCommand({ UUID: mappingId })),
    depth(target, consumer.fallbackQueueUrl),
    failureQueueUrl === undefined ? undefined : depth(target, failureQueueUrl),
  ]);
  const items = await Promise.all(
    partitions.map(({ partition }) => ledgerItem(target, consumer, partition).catch(orUnreadable)),
  );
  const status: ConsumerStatus = {
    consumer: name,
    topic,
    group,
    mapping: mapping.State ?? 'unknown',
    ...(consumer.stack !== '' && { stack: consumer.stack }),
    ...(mapping.LastProcessingResult !== undefined && { lastResult: mapping.LastProcessingResult }),
    problems: mappingProblems(mapping),
    deadLetterTopic,
    ...(openLetters !== undefined && { openLetters }),
    onDeadLetterTopic: letters,
    inFallbackQueue,
    ...(inFailureQueue !== undefined && { inFailureQueue }),
    partitions: await withGrowth(
      partitions.map(({ partition, start, end, committed = startOf(mapping, start, end) }, index) => {
        const lag = Math.max(0, end - committed);
        return { partition, lag, next: committed, ...describe(items[index], now, lag) };
      }),
      growthOverMs,
      async () => (await target.operate(consumer, { type: 'topics' })).partitions,
    ),
  };
  return { status, mapping, items: items.map((item) => (item === 'unreadable' ? undefined : item)) };
}

/** States without a problem, as far as one measurement shows. */
const MOVING: ReadonlySet<PartitionState> = new Set(['running', 'ok']);

/** Measures again where a partition is far behind. If its lag grows, it does not catch up. */
async function withGrowth(
  partitions: readonly PartitionStatus[],
  overMs: number,
  look: () => Promise<readonly SourcePartition[]>,
): Promise<PartitionStatus[]> {
  if (overMs === 0 || partitions.every(({ lag }) => lag < LARGE_LAG)) return [...partitions];
  await sleep(overMs);
  const later = new Map((await look()).map((one) => [one.partition, one]));
  return partitions.map((before) => {
    const { end, committed } = later.get(before.partition) ?? {};
    if (before.lag < LARGE_LAG || end === undefined) return before;
    const grown = end - Math.max(committed ?? 0, before.next) - before.lag;
    const lagGrowth = Math.round((grown * 1_000) / overMs);
    return { ...before, lagGrowth, ...(grown > 0 && MOVING.has(before.state) && { state: 'lag grows' as const }) };
  });
}

/** What Lambda says of a mapping. */
type Mapping = Pick<
  GetEventSourceMappingCommandOutput,
  'State' | 'StateTransitionReason' | 'LastProcessingResult' | 'StartingPosition'
>;

/** States in which a mapping reads, or will read soon. */
const READING = new Set(['Enabled', 'Enabling', 'Creating', 'Updating']);
const WELL = /^\s*(ok|no records processed)?\.?\s*$/i;

/** Why a mapping does not read, each reason in a sentence; empty if it reads. */
export function mappingProblems({
  State: state = 'unknown',
  StateTransitionReason: reason = '',
  LastProcessingResult: last = '',
}: Mapping): string[] {
  return [
    ...(READING.has(state)
      ? []
      : [`the mapping is ${state}${reason === '' ? '' : ` (${reason})`}: no records are read`]),
    ...(WELL.test(last) ? [] : [`the mapping's last poll ended with: ${last}`]),
  ];
}

/** Where a group starts that has committed no offset. Earlier records do not count as lag. */
function startOf({ StartingPosition: position }: Mapping, start: number, end: number): number {
  return position === undefined || position === 'TRIM_HORIZON' ? start : end;
}

/** Only its own partition is affected, not the others. */
function orUnreadable(error: unknown): 'unreadable' {
  if (error instanceof LockstepError && error.code === 'LEDGER_ITEM_UNREADABLE') return 'unreadable';
  throw error;
}

/** The ledger's item of a partition. */
export function ledgerItem(
  target: Target,
  consumer: DeployedConsumer,
  partition: number,
): Promise<PartitionItem | undefined> {
  const { cluster, group, topic } = consumer;
  return ledgerOf(target, consumer).read({ cluster, group, topic, partition });
}

export function ledgerOf({ dynamodb }: Target, { ledgerTable }: DeployedConsumer) {
  return dynamoDbLedgerStore({ client: dynamodb, table: ledgerTable });
}

function describe(item: PartitionItem | 'unreadable' | undefined, now: number, lag: number) {
  if (item === undefined) return { state: 'never claimed' as const, blockedRecords: [] };
  if (item === 'unreadable') return { state: item, blockedRecords: [] };
  const { progress, owner, leaseUntil, epoch, parked } = item;
  const blockedRecords = [...progress.blockedRecords.values()];
  const times = blockedRecords.flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  const isHeld = owner !== undefined && leaseUntil >= now;
  return {
    state: stateOf(item, now, isHeld, lag),
    blockedRecords,
    epoch,
    ...(parked !== undefined && { parked }),
    ...(times.length > 0 && { blockedSince: Math.min(...times) }),
    ...(isHeld && { heldUntil: leaseUntil }),
    ...(progress.pausedUntil !== undefined && progress.pausedUntil > now && { pausedUntil: progress.pausedUntil }),
  };
}

/** Milliseconds after which records that were not fetched count as not read. */
const UNREAD_AFTER_MS = 60_000;

/** The state of a partition. @param lag - waiting records */
export function stateOf(
  { progress, leaseUntil }: PartitionItem,
  now: number,
  isHeld: boolean,
  lag = 0,
): PartitionState {
  if (highest(progress.replayRefused) !== undefined) return 'replay halted';
  const isPaused = progress.pausedUntil !== undefined && progress.pausedUntil > now;
  // A record whose dead letter is being written does not block while an invocation works on it. A record that only paused has
  // not failed.
  const blocking = [...progress.blockedRecords.values()].filter(
    (one) => !(one.exhausted && isHeld) && !(isPaused && isPausedOnly(one)),
  );
  if (blocking.length > 0 && progress.consecutiveDeadLetters >= letterLimit(progress)) return 'flood breaker';
  if (isFull(progress)) return 'full';
  if (blocking.length > 0) return 'blocked';
  if (progress.missingRecord !== undefined) return 'waiting';
  if (isPaused) return 'paused';
  if (isHeld) return 'running';
  return lag > 0 && now - leaseUntil > UNREAD_AFTER_MS ? 'not read' : 'ok';
}

async function depth({ sqs }: Target, QueueUrl: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
