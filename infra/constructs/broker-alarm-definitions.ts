import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';

/** An alarm on the brokers. https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html */
export interface BrokerAlarmDefinition {
  /** Also its anchor in the runbook; the alarm of a single broker ends in `-<broker id>`. */
  readonly name: string;
  readonly anchor: string;
  readonly metric: Metric;
  readonly threshold: number;
  readonly comparison?: ComparisonOperator;
  readonly periods: number;
  readonly missing?: TreatMissingData;
  readonly means: string;
  readonly firstStep: string;
}

/** Alarms of a cluster whose brokers are numbered from 1. */
export function brokerAlarmDefinitions(clusterName: string, brokers: number): BrokerAlarmDefinition[] {
  const ids = Array.from({ length: brokers }, (_, index) => index + 1);
  return [...clusterAlarms(clusterName), ...ids.flatMap((id) => brokerAlarms(clusterName, id))];
}

function clusterAlarms(clusterName: string): BrokerAlarmDefinition[] {
  return [
    {
      name: 'offline-partitions',
      anchor: 'offline-partitions',
      metric: brokerMetric('OfflinePartitionsCount', { 'Cluster Name': clusterName }),
      threshold: 0,
      periods: 3,
      means: 'Partitions have no leader. They cannot be read or written.',
      firstStep: 'look at the state of the brokers in the MSK console.',
    },
    {
      name: 'no-controller',
      anchor: 'no-controller',
      metric: brokerMetric('ActiveControllerCount', { 'Cluster Name': clusterName }),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      periods: 5,
      missing: TreatMissingData.BREACHING,
      means: 'The cluster has no active controller, or publishes no metrics.',
      firstStep: 'look at the state of the cluster in the MSK console.',
    },
  ];
}

function brokerAlarms(clusterName: string, id: number): BrokerAlarmDefinition[] {
  const dimensions = { 'Cluster Name': clusterName, 'Broker ID': String(id) };
  return [
    {
      name: `under-min-isr-${id}`,
      anchor: 'under-min-isr',
      metric: brokerMetric('UnderMinIsrPartitionCount', dimensions),
      threshold: 0,
      periods: 5,
      means: `Partitions led by broker ${id} have too few replicas in sync: writes with acks from all are refused, also dead letters.`,
      firstStep: 'look for a broker that is down or out of disk.',
    },
    {
      name: `broker-disk-${id}`,
      anchor: 'broker-disk',
      metric: brokerMetric('KafkaDataLogsDiskUsed', dimensions),
      threshold: 85,
      periods: 15,
      means: `The disk of broker ${id} is more than 85 % full. A full disk stops the broker.`,
      firstStep: 'enlarge the storage, or shorten the retention of topics.',
    },
    {
      name: `broker-cpu-${id}`,
      anchor: 'broker-cpu',
      metric: brokerMetric('CpuUser', dimensions, 'Average'),
      threshold: 60,
      periods: 15,
      means: `Broker ${id} uses more than 60 % of its CPU. If another broker fails, this one cannot take its load.`,
      firstStep: 'use a larger broker type or add brokers.',
    },
  ];
}

function brokerMetric(metricName: string, dimensionsMap: Record<string, string>, statistic = 'Maximum'): Metric {
  return new Metric({ namespace: 'AWS/Kafka', metricName, dimensionsMap, statistic, period: Duration.minutes(1) });
}
