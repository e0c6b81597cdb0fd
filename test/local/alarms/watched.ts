import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Admin, logLevel, type Producer } from 'kafkajs';
import { expect } from 'vitest';
import type { CloudDescription } from '../../../infra/local/cloud-description.ts';
import { type RunningConsumers, runConsumers } from '../../../infra/local/consumers.ts';
import { deployStacks } from '../../../infra/local/deploy-stacks.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import type { LocalKafka } from '../../../infra/local/kafka.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { startServers } from '../../../infra/local/servers.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { startSwitchboard } from '../fixtures/switchboard.ts';

const STATE_WITHIN_MS = 100_000;
const BEAT_EVERY_MS = 1_000;
/** Only good records go here: what else happens, something flows. */
const BEAT_PARTITION = 15;

/** A consumer of its own cloud, since MiniStack's alarms ignore dimensions, whose alarms are looked at. */
export type Watched = Awaited<ReturnType<typeof startWatched>>;

/** Deploys it and lets good records flow, one a second. @param operations - whether relay and operator function are deployed too */
export async function startWatched({ operations = false } = {}) {
  const switchboard = await startSwitchboard();
  const servers = await startServers();
  const cloud: CloudDescription = await deployStacks(servers.description, {
    app: 'npx node test/local/alarms/fixtures/alarms-app.ts',
    context: { switchboardUrl: switchboard.url, operations: String(operations) },
  });
  const [consumer] = cloud.deployed.consumers;
  if (consumer === undefined) throw new Error('no consumer is deployed');
  const config = clientConfig(cloud.endpoint);
  const cloudwatch = new CloudWatchClient(config);
  const sqs = new SQSClient(config);
  const kafka = kafkaJsClient({
    brokers: [cloud.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30 },
  });
  const admin: Admin = kafka.admin();
  await admin.connect();
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const send = (partition: number, values: readonly string[]) =>
    producer.send({ topic: 'watched', acks: -1, messages: values.map((value) => ({ partition, value })) });

  const printed: string[] = [];
  const rang = new Set<string>();
  const wereOver = new Set<string>();
  const start = () => runConsumers(cloud, { onLog: (_, line) => printed.push(line) });
  let running: RunningConsumers = await start();
  // What cannot be sent while the broker is away is no loss: there will be another.
  const beat = setInterval(() => void send(BEAT_PARTITION, ['beat']).catch(() => {}), BEAT_EVERY_MS);

  const states = async (): Promise<Record<string, string | undefined>> => {
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: PREFIX }));
    return Object.fromEntries(
      MetricAlarms.map(({ AlarmName = '', StateValue }) => [AlarmName.slice(PREFIX.length), StateValue]),
    );
  };
  const reach = (names: readonly string[], state: 'ALARM' | 'OK') =>
    expect
      .poll(
        async () => {
          const now = await states();
          return Object.fromEntries(names.map((name) => [name, now[name]]));
        },
        { timeout: STATE_WITHIN_MS, interval: 250 },
      )
      .toEqual(Object.fromEntries(names.map((name) => [name, state])));

  return {
    switchboard,
    cloud,
    consumer: consumer satisfies DeployedConsumer,
    admin,
    broker: servers.kafka satisfies LocalKafka,
    lambda: new LambdaClient(config),
    printed,
    send,
    /** Waits until these alarms ring. */
    rings: async (...names: readonly string[]) => {
      await reach(names, 'ALARM');
      for (const name of names) rang.add(name);
    },
    /** Waits until these alarms are over. */
    isOver: async (...names: readonly string[]) => {
      await reach(names, 'OK');
      for (const name of names) if (rang.has(name)) wereOver.add(name);
    },
    /** Those that were waited for twice: to ring, then to be over. */
    wereOver,
    states,
    /** Empties a queue, as the relay does. */
    drain: (QueueUrl: string | undefined) => sqs.send(new PurgeQueueCommand({ QueueUrl })),
    /** Takes a right away from a function, the consumer's unless another is named. @returns what gives it back */
    deny: async (action: string, { roleArn } = consumer.function) => denied(new IAMClient(config), roleArn, action),
    /** Nothing is polled while `work` is done. */
    whileStopped: async (work: () => Promise<void>) => {
      await running.stop();
      await work();
      running = await start();
    },
    stop: async () => {
      clearInterval(beat);
      await running.stop().catch(() => {});
      await producer.disconnect().catch(() => {});
      await admin.disconnect().catch(() => {});
      await servers.stop();
      await switchboard.stop();
    },
  };
}

/** `<stack>-<consumer>-` */
const PREFIX = 'Alarms-Watched-';

async function denied(iam: IAMClient, roleArn: string, Action: string): Promise<() => Promise<void>> {
  const RoleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const PolicyName = 'Denied';
  const statement = { Effect: 'Deny', Action, Resource: '*' };
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
  return async () => void (await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
}
