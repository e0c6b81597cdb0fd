import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetEventSourceMappingCommand, LambdaClient, TagResourceCommand } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { assertNever } from '../../shared/assert-never.ts';
import type { CloudDescription } from './cloud-description.ts';
import type { DeployedConsumer } from './deployed.ts';
import type { ResendReading } from './event-source/decide.ts';
import { type EventSource, type EventSourceOptions, startEventSource } from './event-source/event-source.ts';
import { sqsDestination } from './event-source/failure-destination.ts';
import type { Invocation, Invoker } from './event-source/invoker.ts';
import { lambdaInvoker } from './event-source/lambda-invoker.ts';
import { followFunctionLogs } from './function-logs.ts';
import { clientConfig } from './local-endpoint.ts';
import { type MetricsBridge, startMetricsBridge } from './metrics-bridge.ts';
import { sqsWithRoleOf } from './role-credentials.ts';
import { startServiceMetrics } from './service-metrics.ts';

export interface ConsumersOptions {
  /** Names of the consumers whose mappings are polled. @default all */
  readonly consumers?: readonly string[];
  /** Which records come back after a partial answer. @default the event source's reading */
  readonly resend?: ResendReading;
  /** How many pollers of each mapping start. @default as the mapping says */
  readonly pollers?: number;
  /** Runs a function in another way than the Lambda API. @default none */
  readonly invokerOf?: (consumer: DeployedConsumer) => Invoker | undefined;
  /** Gets each line that a function printed, shortly after its invocation ended. */
  readonly onLog?: (functionName: string, line: string) => void;
  /** Anything else that the event source takes. */
  readonly eventSource?: Partial<EventSourceOptions>;
}

/** Mappings that are polled, logs that are followed, and metrics that are put. */
export interface RunningConsumers extends AsyncDisposable {
  readonly eventSource: EventSource;
  readonly metrics: MetricsBridge;
  /** Hands over everything that functions have printed so far, and puts their metrics. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/** Does what Lambda and CloudWatch do for deployed mappings: polls, invokes, and takes metrics from logs. */
export async function runConsumers(
  description: CloudDescription,
  options: ConsumersOptions = {},
): Promise<RunningConsumers> {
  const { endpoint, deployed, bootstrapServers } = description;
  const consumers = deployed.consumers.filter(({ name }) => options.consumers?.includes(name) ?? true);
  const config = clientConfig(endpoint);
  const lambda = new LambdaClient({ ...config, maxAttempts: 1 });
  const logs = new CloudWatchLogsClient(config);
  const cloudwatch = new CloudWatchClient(config);

  const metrics = startMetricsBridge(cloudwatch);
  // All functions, also those without a mapping; or only those of the named consumers, since each log line may be read only
  // once.
  const functions = options.consumers ? consumers.map((consumer) => consumer.function) : deployed.functions;
  const groups = new Map(functions.map(({ logGroup, name }) => [logGroup, name]));
  const following = followFunctionLogs(logs, [...groups.keys()], ({ logGroup, lines }) => {
    metrics.ingest(lines.join('\n'));
    for (const line of lines) options.onLog?.(groups.get(logGroup) ?? logGroup, line);
  });

  const sqs = new SQSClient(config);
  const admin = kafkaJsClient({
    clientId: 'lockstep-metrics',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  const queues = options.consumers
    ? deployed.queues.filter(({ queueUrl }) => isQueueOf(consumers, queueUrl))
    : deployed.queues;
  const stopMeasuring = startServiceMetrics({ sqs, queues, admin, consumers, add: metrics.add });

  const catchUp = async () => {
    await following.catchUp();
    await metrics.flush();
  };
  const stopFollowing = async () => {
    await following.stop();
    await stopMeasuring();
    await metrics.stop();
    await admin.disconnect();
    for (const client of [lambda, logs, cloudwatch, sqs]) client.destroy();
  };
  try {
    await admin.connect();
    const eventSource = await startEventSource({
      mappings: consumers.map(({ mapping }) =>
        options.pollers === undefined ? mapping : { ...mapping, minimumPollers: options.pollers },
      ),
      bootstrapServers,
      metrics,
      invoker: invokerOfEach(consumers, lambdaInvoker(lambda), options.invokerOf),
      isEnabled: async (uuid) => isEnabled(lambda, uuid),
      onPolling: async (uuid, isPolling) => tellPolling(lambda, uuid, isPolling),
      openQueue: async ({ functionArn }, queueArn) => {
        const owner = consumers.find((consumer) => consumer.function.functionArn === functionArn);
        const { client, queueUrl } = await sqsWithRoleOf(endpoint, owner?.function.roleArn ?? '', queueArn);
        return sqsDestination(client, queueUrl);
      },
      ...(options.resend && { reading: options.resend }),
      ...(options.onLog && { log: (line) => options.onLog?.('event source', line) }),
      ...options.eventSource,
      onInvocation: (mapping, invocation) => {
        options.eventSource?.onInvocation?.(mapping, invocation);
        const owner = consumers.find((consumer) => consumer.mapping.uuid === mapping.uuid);
        const trouble = troubleOf(invocation);
        if (trouble !== undefined) options.onLog?.(owner?.name ?? mapping.uuid, trouble);
      },
    });
    const stop = async () => {
      await eventSource.stop();
      await catchUp();
      await stopFollowing();
    };
    return { eventSource, metrics, catchUp, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stopFollowing();
    throw error;
  }
}

/** Lambda logs the error that a handler throws. MiniStack only answers with it. */
function troubleOf(invocation: Invocation): string | undefined {
  switch (invocation.type) {
    case 'answered':
      return undefined;
    case 'functionError':
      return `ERROR Invoke Error ${invocation.payload}`;
    case 'notInvoked':
      return `ERROR not invoked: ${invocation.reason}`;
    default:
      return assertNever(invocation);
  }
}

function invokerOfEach(
  consumers: readonly DeployedConsumer[],
  usual: Invoker,
  invokerOf: ConsumersOptions['invokerOf'] = () => undefined,
): Invoker {
  const invokers = new Map(consumers.map((consumer) => [consumer.function.functionArn, invokerOf(consumer) ?? usual]));
  return { invoke: (functionArn, payload) => (invokers.get(functionArn) ?? usual).invoke(functionArn, payload) };
}

/** Whether the functions of these consumers know a queue. */
function isQueueOf(consumers: readonly DeployedConsumer[], queueUrl: string): boolean {
  return consumers.some(({ function: { environment } }) => Object.values(environment).includes(queueUrl));
}

async function isEnabled(lambda: LambdaClient, UUID: string): Promise<boolean> {
  const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
  return State === 'Enabled' || State === 'Enabling' || State === 'Creating';
}

/** `ministack_app.py` shows a mapping as `Disabling` until its pollers have stopped, and as `Enabling` until they have started. */
async function tellPolling(lambda: LambdaClient, UUID: string, isPolling: boolean): Promise<void> {
  const { EventSourceMappingArn: Resource } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
  await lambda.send(new TagResourceCommand({ Resource, Tags: { 'lockstep:polling': String(isPolling) } }));
}
