import type { GetEventSourceMappingCommandOutput } from '@aws-sdk/client-lambda';
import type { PartitionItem } from '../shared/decide/progress.ts';
import type { LetterLine } from '../shared/operator/answers.ts';
import { parsePositionName, partitionName } from '../shared/record/item-identifier.ts';
import { highest, includesOffset, intersect, lowest } from '../shared/record/offset-ranges.ts';
import type { AlarmState } from './alarm-states.ts';
import type { DeployedConsumer } from './consumer.ts';
import type { ConsumerStatus, PartitionStatus } from './consumer-state.ts';
import { isStuck } from './status.ts';

/** What an audit found. Each code has its row in docs/deploying.md. */
export type FindingCode =
  | 'stands-still'
  | 'not-redelivered'
  | 'settled-and-pending'
  | 'letter-without-mark'
  | 'went-back'
  | 'mapping-differs'
  | 'alarms-off'
  | 'queue-waits';

export interface Finding {
  readonly code: FindingCode;
  /** A partition or a record; absent where it is the whole consumer. */
  readonly place?: string;
  /** In one sentence. */
  readonly says: string;
}

/** What an audit keeps of a partition, for the next one. */
export interface AuditedPartition {
  readonly partition: number;
  readonly epoch?: number;
  /** The highest settled offset. */
  readonly settledTo?: number;
}

/** What an audit keeps of a consumer. */
export interface AuditedConsumer {
  readonly consumer: string;
  readonly findings: readonly Finding[];
  readonly partitions: readonly AuditedPartition[];
  /** Messages in fallback queue and failure queue. */
  readonly queued: number;
}

/** Settings of a mapping that decide whether a record may be lost. */
export type MappingSettings = Pick<
  GetEventSourceMappingCommandOutput,
  | 'AmazonManagedKafkaEventSourceConfig'
  | 'DestinationConfig'
  | 'FunctionResponseTypes'
  | 'MaximumRecordAgeInSeconds'
  | 'MaximumRetryAttempts'
  | 'ProvisionedPollerConfig'
  | 'SelfManagedKafkaEventSourceConfig'
  | 'Topics'
>;

/** Everything that is judged. Kafka was read first, then the ledger: what was settled meanwhile is in the ledger. */
export interface Seen {
  readonly consumer: DeployedConsumer;
  readonly status: ConsumerStatus;
  readonly mapping: MappingSettings;
  readonly alarms: readonly AlarmState[];
  /** By the status's partitions; `unreadable` ones are absent. */
  readonly items: readonly (PartitionItem | undefined)[];
  /** Open dead letters. */
  readonly letters: readonly LetterLine[];
  readonly now: number;
}

/** A partition that nobody has held for so long is not being worked on. */
const IDLE_MS = 60_000;

/**
 * Judges a consumer by what must hold at any time. @param before - what the same audit found earlier
 */
export function judgeConsumer(seen: Seen, before?: AuditedConsumer): AuditedConsumer {
  const { consumer, status, items } = seen;
  const queued = status.inFallbackQueue + (status.inFailureQueue ?? 0);
  const partitions = status.partitions.map(({ partition }, at): AuditedPartition => {
    const { epoch, progress } = items[at] ?? {};
    const settledTo = progress && highest(progress.settled);
    return { partition, ...(epoch !== undefined && { epoch }), ...(settledTo !== undefined && { settledTo }) };
  });
  const findings = [
    ...status.problems.map((says): Finding => ({ code: 'stands-still', says })),
    ...mappingFindings(seen),
    ...alarmFindings(seen),
    ...status.partitions.flatMap((partition, at) => partitionFindings(seen, partition, items[at])),
    ...lettersWithoutMark(seen),
    ...partitions.flatMap((now) => wentBack(consumer, now, before?.partitions)),
    ...(queued > 0 && (before?.queued ?? 0) > 0
      ? [{ code: 'queue-waits', says: `${queued} messages wait, and ${before?.queued} did before` } as const]
      : []),
  ];
  return { consumer: status.consumer, findings, partitions, queued };
}

function partitionFindings(seen: Seen, status: PartitionStatus, item: PartitionItem | undefined): Finding[] {
  const place = partitionName({ topic: seen.consumer.topic, partition: status.partition });
  const findings: Finding[] = isStuck(status, seen.now)
    ? [{ code: 'stands-still', place, says: `it is ${status.state}, ${status.lag} records behind` }]
    : [];
  if (item === undefined) return findings;
  const { settled, pending, blockedRecords, abandoned = [], missingRecord } = item.progress;
  const both = [
    ...intersect(settled, pending).map(({ from }) => from),
    ...[...blockedRecords.keys()].filter((offset) => includesOffset(settled, offset)),
  ];
  if (both.length > 0)
    findings.push({
      code: 'settled-and-pending',
      place,
      says: `offset ${Math.min(...both)} is settled and waits, both`,
    });
  const waiting = lowest(pending);
  // While an invocation works, or the relay takes care of it, it may still come.
  const isCaredFor = seen.now - item.leaseUntil < IDLE_MS || missingRecord !== undefined || abandoned.length > 0;
  if (waiting !== undefined && waiting < status.next && !isCaredFor)
    findings.push({
      code: 'not-redelivered',
      place,
      says: `offset ${waiting} waits, but Lambda has committed up to ${status.next} and does not deliver it again`,
    });
  return findings;
}

/** A dead letter is marked in the ledger before it is written: without a mark its record may run, or be lost. */
function lettersWithoutMark({ consumer, status, items, letters }: Seen): Finding[] {
  return letters.flatMap(({ origin }): Finding[] => {
    const position = parsePositionName(origin);
    const at = status.partitions.findIndex(({ partition }) => partition === position?.partition);
    const { progress } = items[at] ?? {};
    if (position?.topic !== consumer.topic || progress === undefined) return [];
    const { offset } = position;
    const isMarked =
      offset < (progress.floor ?? 0) ||
      includesOffset(progress.settled, offset) ||
      progress.blockedRecords.get(offset)?.exhausted === true;
    return isMarked
      ? []
      : [
          {
            code: 'letter-without-mark',
            place: origin,
            says: 'it has a dead letter, and the ledger does not know of it',
          },
        ];
  });
}

function wentBack(
  { topic }: DeployedConsumer,
  now: AuditedPartition,
  before: readonly AuditedPartition[] = [],
): Finding[] {
  const then = before.find(({ partition }) => partition === now.partition);
  const fell = (['epoch', 'settledTo'] as const).filter((what) => (then?.[what] ?? -1) > (now[what] ?? -1));
  return fell.map((what) => ({
    code: 'went-back',
    place: partitionName({ topic, partition: now.partition }),
    says: `${what === 'epoch' ? 'its epoch' : 'its highest settled offset'} was ${then?.[what]} and is ${now[what] ?? 'gone'}`,
  }));
}

/** Those that each consumer has. */
const ALARMS = ['blocked-record', 'partition-halted', 'loss-suspected', 'dead-letters', 'function-errors'];

function alarmFindings({ consumer, alarms }: Seen): Finding[] {
  // An earlier version does not say how they begin.
  if (consumer.alarmPrefix === undefined) return [];
  const missing = ALARMS.filter((wanted) => !alarms.some(({ name }) => name === wanted));
  const silenced = alarms.flatMap(({ name, isSilenced }) => (isSilenced ? [name] : []));
  return [
    missing.length > 0 && `there is no alarm ${missing.join(', ')}`,
    silenced.length > 0 && `the actions of ${silenced.join(', ')} are switched off`,
  ].flatMap((says) => (says === false ? [] : [{ code: 'alarms-off', says }]));
}

/** What somebody may have changed by hand since the deployment. What Lambda does not tell is not judged. */
function mappingFindings({ consumer, mapping }: Seen): Finding[] {
  const {
    MaximumRetryAttempts: retries = -1,
    MaximumRecordAgeInSeconds: age = -1,
    Topics,
    DestinationConfig,
  } = mapping;
  const group = (mapping.AmazonManagedKafkaEventSourceConfig ?? mapping.SelfManagedKafkaEventSourceConfig)
    ?.ConsumerGroupId;
  const isProvisioned = mapping.ProvisionedPollerConfig !== undefined;
  const hasQueue = consumer.failureQueueUrl !== undefined;
  const wrong = [
    retries >= 0 && !hasQueue && `it gives records up after ${retries} retries`,
    age >= 0 && `it gives records up after ${age} s`,
    DestinationConfig?.OnFailure?.Destination !== undefined && !hasQueue && 'it has a failure destination',
    isProvisioned &&
      !mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') &&
      'it ignores partial answers, and commits what failed',
    Topics !== undefined && Topics[0] !== consumer.topic && `it reads ${Topics[0]}, not ${consumer.topic}`,
    group !== undefined && group !== consumer.group && `its group is ${group}, not ${consumer.group}`,
  ];
  return wrong.flatMap((says) => (says === false ? [] : [{ code: 'mapping-differs', says }]));
}
