import { fork } from 'node:child_process';
import { once } from 'node:events';
import { logLevel } from 'kafkajs';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import { runConsumers } from '../../infra/local/consumers.ts';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import type { CONSUMERS } from './consumers.ts';
import type { Handled } from './handled.ts';

/** A consumer at work on its topic. */
export interface Contestant extends AsyncDisposable {
  /** Everything that it reported since its start or the last call. */
  take(): Promise<readonly Handled[]>;
}

/** A group that starts at the current end of the topic, so that it does not get records of other consumers. */
export async function startAtTheEnd(bootstrapServers: string, topic: string, groupId: string): Promise<void> {
  const admin = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.setOffsets({ groupId, topic, partitions });
  await admin.disconnect();
}

/** Group of a plain consumer. */
export function groupOf(topic: string, commits: 'record' | 'batch'): string {
  return `kafkajs-${topic}-${commits}`;
}

/** Where it reads, and where its effects go. */
export interface Assignment {
  readonly cloud: CloudDescription;
  readonly consumer: (typeof CONSUMERS)[number];
  readonly effectsEndpoint: string;
}

/** The deployed function, fed by the local event source. */
export async function lockstepOnLambda({ cloud, consumer }: Assignment): Promise<Contestant> {
  let reported: Handled[] = [];
  const running = await runConsumers(cloud, {
    consumers: [consumer.name],
    onLog: (_, line) => {
      const json = /\{"benchHandled":.*\}/.exec(line)?.[0];
      if (json !== undefined) reported.push(JSON.parse(json).benchHandled);
    },
  });
  return {
    async take() {
      await running.catchUp();
      const taken = reported;
      reported = [];
      return taken;
    },
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

/** A plain kafkajs consumer that commits after each record or after each batch. */
export async function plainKafkaJs(commits: 'record' | 'batch', assignment: Assignment): Promise<Contestant> {
  const { cloud, consumer, effectsEndpoint } = assignment;
  const endpoint = consumer.hasEffects ? effectsEndpoint : '';
  const child = fork(
    new URL('./kafkajs-process.ts', import.meta.url),
    [cloud.bootstrapServers, consumer.topic, commits, groupOf(consumer.topic, commits), endpoint],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  let reported: Handled[] = [];
  child.on('message', (handled: Handled) => {
    if (handled.records > 0) reported.push(handled);
  });
  return {
    async take() {
      const taken = reported;
      reported = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
