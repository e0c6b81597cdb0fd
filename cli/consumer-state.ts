import { GetEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { dynamoDbLedgerStore } from '../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import type { BlockedRecord, PartitionItem } from '../shared/decide/progress.ts';
import { letterLimit } from '../shared/decide/retry-policy.ts';
import { LockstepError } from '../shared/errors.ts';
import { highest } from '../shared/record/offset-ranges.ts';
import type { DeployedConsumer } from './consumer.ts';
import type { Target } from './target.ts';

/** What blocks a partition, worst first. */
export type PartitionState =
  | 'unreadable'
  | 'replay halted'
  | 'flood breaker'
  | 'blocked'
  | 'waiting'
  | 'paused'
  | 'running'
  | 'ok'
  | 'never claimed';

/** A partition as Kafka and the ledger see it. */
export interface PartitionStatus {
  readonly partition: number;
  /** Records that the group has not committed. */
  readonly lag: number;
  /** The next offset that the mapping reads after a restart. */
  readonly next: number;
  readonly state: PartitionState;
  readonly blockedRecords: readonly BlockedRecord[];
  /** When the oldest blocked record first failed. */
  readonly blockedSince?: number;
  /** Until when an invocation holds it. */
  readonly heldUntil?: number;
  readonly epoch?: number;
}

/** A consumer at a glance. */
export interface ConsumerStatus {
  readonly consumer: string;
  readonly topic: string;
  readonly group: string;
  /** `Enabled`, `Disabled`, or on the way. */
  readonly mapping: string;
  readonly deadLetterTopic: string;
  /** Records on the dead-letter topic, those that were redriven and our markers included. */
  readonly onDeadLetterTopic: number;
  readonly inFallbackQueue: number;
  readonly inFailureQueue?: number;
  readonly partitions: readonly PartitionStatus[];
}

/** Asks Kafka, Lambda, SQS and the ledger. */
export async function consumerStatus(target: Target, consumer: DeployedConsumer, now: number): Promise<ConsumerStatus> {
  const { name, topic, group, deadLetterTopic, mappingId, failureQueueUrl } = consumer;
  const [{ partitions, letters }, { State: mapping = 'unknown' }, inFallbackQueue, inFailureQueue] = await Promise.all([
    target.operate(consumer, { type: 'topics' }),
    target.lambda.send(new GetEventSourceMappingCommand({ UUID: mappingId })),
    depth(target, consumer.fallbackQueueUrl),
    failureQueueUrl === undefined ? undefined : depth(target, failureQueueUrl),
  ]);
  const items = await Promise.all(
    partitions.map(({ partition }) => ledgerItem(target, consumer, partition).catch(orUnreadable)),
  );
  return {
    consumer: name,
    topic,
    group,
    mapping,
    deadLetterTopic,
    onDeadLetterTopic: letters,
    inFallbackQueue,
    ...(inFailureQueue !== undefined && { inFailureQueue }),
    partitions: partitions.map(({ partition, start, end, committed = start }, index) => {
      const item = items[index];
      return { partition, lag: Math.max(0, end - committed), next: committed, ...describe(item, now) };
    }),
  };
}

/** Its partition stands still, the others do not. */
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

function describe(item: PartitionItem | 'unreadable' | undefined, now: number) {
  if (item === undefined) return { state: 'never claimed' as const, blockedRecords: [] };
  if (item === 'unreadable') return { state: item, blockedRecords: [] };
  const { progress, owner, leaseUntil, epoch } = item;
  const blockedRecords = [...progress.blockedRecords.values()];
  const times = blockedRecords.flatMap(({ firstFailedAt }) => firstFailedAt ?? []);
  const isHeld = owner !== undefined && leaseUntil >= now;
  return {
    state: stateOf(item, now, isHeld),
    blockedRecords,
    epoch,
    ...(times.length > 0 && { blockedSince: Math.min(...times) }),
    ...(isHeld && { heldUntil: leaseUntil }),
  };
}

/** What blocks a partition. */
export function stateOf({ progress }: PartitionItem, now: number, isHeld: boolean): PartitionState {
  if (highest(progress.replayRefused) !== undefined) return 'replay halted';
  // One whose letter is on its way out blocks nothing while somebody is at it.
  const blocking = [...progress.blockedRecords.values()].filter(({ exhausted }) => !(exhausted && isHeld));
  if (blocking.length > 0)
    return progress.consecutiveDeadLetters >= letterLimit(progress) ? 'flood breaker' : 'blocked';
  if (progress.missingRecord !== undefined) return 'waiting';
  if (progress.pausedUntil !== undefined && progress.pausedUntil > now) return 'paused';
  return isHeld ? 'running' : 'ok';
}

async function depth({ sqs }: Target, QueueUrl: string): Promise<number> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}
