import { CloudWatchClient, DescribeAlarmHistoryCommand, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { PurgeQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Admin, logLevel, type Producer } from 'kafkajs';
import { expect, inject, onTestFailed, vi } from 'vitest';
import type { ServersDescription } from '../../../infra/local/cloud-description.ts';
import { type RunningConsumers, runConsumers } from '../../../infra/local/consumers.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import type { ConsumerFacts } from '../../../shared/consumer-output.ts';
import { denyAction } from '../fixtures/role-grants.ts';
import { startSwitchboard } from '../fixtures/switchboard.ts';
import { ALARMS_STACK, RELAY_ALARMS_STACK, WATCHED_PARTITIONS, watchedTopic } from './fixtures/alarms-stack.ts';

const STATE_WITHIN_MS = 180_000;
const BEAT_EVERY_MS = 1_000;
/** Only good records go here: what else happens, something flows. */
const BEAT_PARTITION = WATCHED_PARTITIONS - 1;

/** The alarms that each consumer provokes: together every alarm that a consumer without relay has. */
export const PROVOKED = {
  Records: ['blocked-record', 'dead-letters', 'function-errors', 'lag-time', 'partition-halted'],
  Ledger: ['loss-suspected', 'partition-halted'],
  Queues: ['events-dropped', 'failure-destination-refused', 'failure-queue', 'fallback-queue', 'pollers-gone'],
  Broker: ['loss-suspected'],
  Keys: ['partition-halted'],
} as const;

export type WatchedName = keyof typeof PROVOKED | 'Relayed';

/** A consumer whose alarms are looked at. */
export type Watched = Awaited<ReturnType<typeof startWatched>>;

/** Polls for it and lets good records flow, one a second. @param servers - whose broker is polled */
export async function startWatched(name: WatchedName, servers: ServersDescription = inject('localCloud')) {
  const switchboard = await startSwitchboard();
  const cloud =
    name === 'Relayed'
      ? await openStacks(servers, [RELAY_ALARMS_STACK])
      : await openStacks(servers, [ALARMS_STACK], { consumers: [name] });
  const [consumer] = cloud.deployed.consumers;
  if (consumer === undefined) throw new Error('no consumer is deployed');
  await setFunction(cloud.endpoint, consumer.function, {
    // Deployed with the brokers of the run's cloud.
    environment: { SWITCHBOARD_URL: switchboard.url, LOCKSTEP_BOOTSTRAP_SERVERS: servers.bootstrapServers },
  });
  const prefix = `${name === 'Relayed' ? RELAY_ALARMS_STACK : ALARMS_STACK}-${name}-`;
  const facts: ConsumerFacts = JSON.parse(cloud.deployed.outputs[`${name}LockstepConsumer`] ?? '{}');
  const topic = watchedTopic(name);
  const groupId = consumer.mapping.consumerGroupId;
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
  const send = (partition: number, values: readonly string[], keyOf: (index: number) => string | null = () => null) =>
    producer.send({
      topic,
      acks: -1,
      messages: values.map((value, index) => ({ partition, value, key: keyOf(index) })),
    });

  const printed: string[] = [];
  const rang = new Set<string>();
  const wereOver = new Set<string>();
  const start = () => runConsumers(cloud, { onLog: (_, line) => printed.push(line) });
  let running: RunningConsumers = await start();
  // What cannot be sent while the broker is away is no loss: there will be another.
  const beat = setInterval(() => void send(BEAT_PARTITION, ['beat']).catch(() => {}), BEAT_EVERY_MS);

  const states = async (): Promise<Record<string, string | undefined>> => {
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix }));
    return Object.fromEntries(
      MetricAlarms.map(({ AlarmName = '', StateValue }) => [AlarmName.slice(prefix.length), StateValue]),
    );
  };
  /** How often an alarm has begun to ring. */
  const beginnings = async (name: string): Promise<number> => {
    const request = { AlarmName: `${prefix}${name}`, HistoryItemType: 'StateUpdate' } as const;
    const { AlarmHistoryItems = [] } = await cloudwatch.send(new DescribeAlarmHistoryCommand(request));
    return AlarmHistoryItems.filter(({ HistorySummary }) => HistorySummary?.endsWith('to ALARM')).length;
  };
  /** As of when an alarm was last seen to be over. */
  const before = new Map<string, number>();
  /** One that rings for a moment only may be over before anybody looks: its history tells. */
  const hasRung = async (name: string) => (await beginnings(name)) > (before.get(name) ?? 0);
  const isOver = async (name: string) => (await states())[name] === 'OK';
  const reach = async (names: readonly string[], isReached: (name: string) => Promise<boolean>) => {
    onTestFailed(() =>
      console.log(
        printed
          .filter((line) => !line.includes('"_aws"'))
          .slice(-40)
          .join('\n'),
      ),
    );
    for (const name of names) {
      await expect
        .poll(() => isReached(name), { timeout: STATE_WITHIN_MS, interval: 250, message: `alarm ${name}` })
        .toBe(true);
    }
  };

  const whileStopped = async (work: () => Promise<void>): Promise<void> => {
    await running.stop();
    try {
      await work();
    } finally {
      running = await start();
    }
  };

  return {
    switchboard,
    cloud,
    consumer: consumer satisfies DeployedConsumer,
    facts,
    admin,
    topic,
    groupId,
    lambda: new LambdaClient(config),
    printed,
    send,
    /** Waits until the handler has asked about a word. */
    asked: (word: string) =>
      expect.poll(() => switchboard.asked, { timeout: STATE_WITHIN_MS, interval: 100 }).toContain(word),
    /** Waits until the group has committed this offset. */
    committed: (partition: number, offset: number) =>
      expect
        .poll(
          async () => {
            const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
            return Number(group?.partitions.find((one) => one.partition === partition)?.offset);
          },
          { timeout: STATE_WITHIN_MS, interval: 250 },
        )
        .toBeGreaterThanOrEqual(offset),
    /** Sets what the group has committed, while nobody polls. */
    setCommitted: (partition: number, offset: string) =>
      whileStopped(() =>
        // The broker refuses to change a group while it counts a member.
        vi.waitFor(() => admin.setOffsets({ groupId, topic, partitions: [{ partition, offset }] }), {
          timeout: STATE_WITHIN_MS,
          interval: 500,
        }),
      ),
    /** Waits until these alarms ring. */
    rings: async (...names: readonly string[]) => {
      await reach(names, hasRung);
      for (const name of names) rang.add(name);
    },
    /** Waits until these alarms are over. */
    isOver: async (...names: readonly string[]) => {
      await reach(names, isOver);
      for (const name of names) {
        if (rang.has(name)) wereOver.add(name);
        before.set(name, await beginnings(name));
      }
    },
    /** Those that were waited for twice: to ring, then to be over. */
    wereOver,
    states,
    /** Empties a queue, as the relay does. */
    drain: (QueueUrl: string | undefined) => sqs.send(new PurgeQueueCommand({ QueueUrl })),
    /** Takes a right away from a function, the consumer's unless another is named. @returns what gives it back */
    deny: async (action: string, { roleArn } = consumer.function) => {
      const giveBack = await denyAction(cloud.endpoint, roleArn, action);
      // The tests after it need the right. It may have been given back before the test failed.
      onTestFailed(() => giveBack().catch(() => {}));
      return giveBack;
    },
    /** Nothing is polled while `work` is done. */
    whileStopped,
    stop: async () => {
      clearInterval(beat);
      await running.stop().catch(() => {});
      await producer.disconnect().catch(() => {});
      await admin.disconnect().catch(() => {});
      await switchboard.stop();
    },
  };
}
