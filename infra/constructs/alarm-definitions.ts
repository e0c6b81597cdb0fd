import { Duration } from 'aws-cdk-lib';
import { type ComparisonOperator, Metric, type TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../../shared/ports/telemetry.ts';
import type { AlarmOptions } from './alarm-options.ts';

/** Metric namespace of the functions; the construct sets it. */
export const METRICS_NAMESPACE = 'Lockstep';

/** What is watched. Names may be tokens. */
export interface Watched {
  readonly consumerName: string;
  readonly functionName: string;
  readonly timeoutSeconds: number;
  readonly mappingId: string;
  readonly consumerGroup: string;
  readonly topic: string;
  readonly clusterName: string;
  readonly fallbackQueueName: string;
  readonly netQueueName?: string;
  readonly decodesValues: boolean;
  /** On-demand mappings publish no metrics of their own. */
  readonly provisioned: boolean;
}

/** One alarm: a plain metric (an emulator can evaluate it), a threshold, and what to tell the person it wakes. */
export interface AlarmDefinition {
  /** Also its anchor in the runbook. */
  readonly name: string;
  readonly metric: Metric;
  readonly threshold: number;
  readonly comparison?: ComparisonOperator;
  readonly evaluationPeriods?: number;
  readonly datapointsToAlarm?: number;
  readonly missing?: TreatMissingData;
  readonly means: string;
  readonly firstStep: string;
}

const MINUTE = Duration.minutes(1);

/** The alarms of a consumer. */
export function alarmDefinitions(watched: Watched, options: AlarmOptions = {}): AlarmDefinition[] {
  return [...recordAlarms(watched, options), ...functionAlarms(watched), ...mappingAlarms(watched)];
}

function recordAlarms(watched: Watched, options: AlarmOptions): AlarmDefinition[] {
  return [
    {
      name: 'dead-letters',
      metric: ours(watched, 'RecordsDeadLettered', 'Sum'),
      threshold: options.deadLetters ?? 0,
      means: 'Records were given up on and lie on the dead-letter topic.',
      firstStep: 'Group the letters by error fingerprint, mend the cause, then redrive.',
    },
    {
      name: 'blocked-head',
      metric: ours(watched, 'BlockedHeadAgeMs', 'Maximum'),
      threshold: (options.blockedFor ?? Duration.minutes(15)).toMilliseconds(),
      means: 'A record has blocked its partition, or its key, for too long; what comes after it waits.',
      firstStep: 'Read the last error of the blocked record in the log of the function.',
    },
  ];
}

function functionAlarms({ functionName }: Watched): AlarmDefinition[] {
  return [
    {
      name: 'function-errors',
      metric: metric('AWS/Lambda', 'Errors', 'Sum', { FunctionName: functionName }),
      threshold: 0,
      means: 'Invocations ended without an answer: crash, timeout, or a deployment that cannot start.',
      firstStep: 'Read the REPORT and error lines of the function’s log; roll back if a deployment just went out.',
    },
  ];
}

function mappingAlarms(watched: Watched): AlarmDefinition[] {
  if (!watched.provisioned) return [];
  return [
    {
      name: 'events-dropped',
      metric: mapping(watched, 'DroppedEventCount', 'Sum'),
      threshold: 0,
      means: 'The mapping has dropped records that nobody has handled: data is being lost.',
      firstStep: 'Disable the mapping with `lockstep pause`, then find the dropped offsets.',
    },
  ];
}

function ours({ consumerName }: Watched, name: MetricName, statistic: string): Metric {
  return metric(METRICS_NAMESPACE, name, statistic, { service: consumerName });
}

function mapping({ mappingId }: Watched, name: string, statistic: string): Metric {
  return metric('AWS/Lambda', name, statistic, { EventSourceMappingUUID: mappingId });
}

function metric(
  namespace: string,
  metricName: string,
  statistic: string,
  dimensionsMap: Record<string, string>,
): Metric {
  return new Metric({ namespace, metricName, statistic, dimensionsMap, period: MINUTE });
}
