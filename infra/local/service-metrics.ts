import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Admin } from 'kafkajs';
import type { DeployedConsumer, DeployedQueue } from './deployed.ts';
import type { MetricDatum } from './emf.ts';
import { type BrokerLag, lagEstimator } from './lag-estimator.ts';

const EVERY_MS = 1_000;

export interface ServiceMetricsOptions {
  readonly sqs: SQSClient;
  readonly queues: readonly DeployedQueue[];
  readonly admin: Admin;
  readonly consumers: readonly DeployedConsumer[];
  readonly add: (datum: MetricDatum) => void;
}

/**
 * Measures what SQS and MSK would tell CloudWatch and the emulator does not: how full queues are, how far groups are behind.
 * (What Lambda tells of functions, MiniStack does; of mappings, the event source.)
 *
 * @returns what stops it
 */
export function startServiceMetrics(options: ServiceMetricsOptions): () => Promise<void> {
  const estimators = new Map(options.consumers.map((consumer) => [consumer, lagEstimator()]));
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    // Never two at once; what fails (a broker that a test stopped) is measured again the next time.
    running ??= Promise.allSettled([
      ...options.queues.map((queue) => measureQueue(queue, options)),
      ...[...estimators].map(([consumer, estimate]) => measureGroup(consumer, estimate, options)),
    ]).finally(() => {
      running = undefined;
    });
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
async function measureQueue(
  { queueName, queueUrl }: DeployedQueue,
  { sqs, add }: ServiceMetricsOptions,
): Promise<void> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  const value = Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0);
  const dimensions = { QueueName: queueName };
  add({ namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible', value, unit: 'Count', dimensions });
}

/** https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html */
async function measureGroup(
  { mapping }: DeployedConsumer,
  estimate: ReturnType<typeof lagEstimator>,
  { admin, add }: ServiceMetricsOptions,
): Promise<void> {
  const { topic, consumerGroupId: groupId } = mapping;
  const [ends, [committed]] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  const lag = estimate(
    ends.map(({ partition, low, high }) => {
      const offset = offsets.get(partition) ?? -1;
      return { partition, high: Number(high), committed: offset < 0 ? Number(low) : offset };
    }),
    Date.now(),
  );
  const dimensions = {
    'Cluster Name': mapping.eventSourceArn?.split('/')[1] ?? '',
    'Consumer Group': groupId,
    Topic: topic,
  };
  const units = { MaxOffsetLag: 'Count', SumOffsetLag: 'Count', EstimatedMaxTimeLag: 'Seconds' } as const;
  for (const [name, value] of Object.entries(lag)) {
    add({ namespace: 'AWS/Kafka', name, value, unit: units[name as keyof BrokerLag], dimensions });
  }
}
