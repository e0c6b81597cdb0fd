import { Duration } from 'aws-cdk-lib';
import { type ComparisonOperator, Metric, type TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../../shared/ports/telemetry.ts';

/** Metric namespace of the functions; the construct sets it. */
export const METRICS_NAMESPACE = 'Lockstep';

/** What is watched. Names may be tokens. */
export interface Watched {
  readonly consumerName: string;
  readonly stackName: string;
  readonly functionName: string;
  readonly logGroupName: string;
  readonly timeoutSeconds: number;
  readonly mappingId: string;
  readonly consumerGroup: string;
  readonly topic: string;
  /** The options with which `lockstep` finds the consumer: `--stack Prod --consumer Orders`. */
  readonly commandTarget: string;
  readonly clusterName: string;
  /** The broker's metrics of a cluster in another account are in that account. Those of a self-managed one are not in CloudWatch. */
  readonly clusterIsOurs: boolean;
  readonly fallbackQueueName: string;
  readonly failureQueueName?: string;
  readonly relayLogGroupName?: string;
  /** Exhausted records park their keys. */
  readonly parks: boolean;
  /** On-demand mappings publish no metrics of their own. */
  readonly provisioned: boolean;
  /** Whether an unsettled batch makes the invocation fail. */
  readonly throws: boolean;
}

/** One alarm: a plain metric (an emulator can evaluate it), a threshold, and a text for the person on call. */
export interface AlarmDefinition {
  /** Also the alarm's anchor in the runbook. */
  readonly name: string;
  /** `page`: somebody is woken, since nothing goes on or a record may be lost. `ticket`: it can wait for the morning. */
  readonly severity: 'page' | 'ticket';
  /** Which question of the dashboard's first row the alarm answers. */
  readonly question: 'stuck' | 'lost' | 'late';
  readonly metric: Metric;
  readonly threshold: number;
  /** @default GREATER_THAN_THRESHOLD */
  readonly comparison?: ComparisonOperator;
  /** How many periods in a row. @default 1 */
  readonly periods?: number;
  /** Of `periods`. @default all */
  readonly datapoints?: number;
  /** @default NOT_BREACHING */
  readonly missing?: TreatMissingData;
  /** A loss: the alarm stays until an operator ends it. */
  readonly latches?: true;
  readonly means: string;
  readonly firstStep: string;
}

/** A metric that the functions print. Stack and consumer are its dimensions: two stacks may have consumers of one name. */
export function ourMetric(
  { consumerName, stackName }: Watched,
  name: MetricName,
  statistic: 'Sum' | 'Maximum',
  period = Duration.minutes(1),
): Metric {
  return plainMetric(METRICS_NAMESPACE, name, statistic, { service: consumerName, stack: stackName }, period);
}

/** A metric of the mapping. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
export function mappingMetric({ mappingId }: Watched, name: string, statistic: 'Sum' | 'Maximum'): Metric {
  return plainMetric('AWS/Lambda', name, statistic, { EventSourceMappingUUID: mappingId });
}

/** A metric of the function. */
export function functionMetric({ functionName }: Watched, name: string, statistic: 'Sum' | 'Maximum'): Metric {
  return plainMetric('AWS/Lambda', name, statistic, { FunctionName: functionName });
}

/** A metric of the broker about the group. https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html */
export function groupMetric({ clusterName, consumerGroup, topic }: Watched, name: string): Metric {
  return plainMetric('AWS/Kafka', name, 'Maximum', {
    'Cluster Name': clusterName,
    'Consumer Group': consumerGroup,
    Topic: topic,
  });
}

/** The number of waiting messages of a queue. */
export function queueMetric(queueName: string): Metric {
  return plainMetric('AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', { QueueName: queueName });
}

function plainMetric(
  namespace: string,
  metricName: string,
  statistic: string,
  dimensionsMap: Record<string, string>,
  period = Duration.minutes(1),
): Metric {
  return new Metric({ namespace, metricName, statistic, dimensionsMap, period });
}
