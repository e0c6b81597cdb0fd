import type { CloudDescription } from './cloud-description.ts';
import { type ConsumersOptions, type RunningConsumers, runConsumers } from './consumers.ts';
import { deploy } from './deploy.ts';
import { readDeployed } from './deployed.ts';
import type { LocalKafka } from './kafka.ts';
import { type Servers, type ServersOptions, startServers } from './servers.ts';
import { makeTopics } from './topics.ts';

/** Partitions of a topic that says nothing of its own. */
export const DEFAULT_PARTITIONS = 3;

export interface DeployStacksOptions {
  /** `-c stage=…`. @default 'local' */
  readonly stage?: string;
  /** Further `-c name=value`. */
  readonly context?: Readonly<Record<string, string>>;
  /** Command of a CDK app other than the one of cdk.json. */
  readonly app?: string;
  /** Of every topic. @default what the stack says of it, {@link DEFAULT_PARTITIONS} where it does not */
  readonly partitions?: number;
  /** Gets cdk's lines. */
  readonly onProgress?: (line: string) => void;
}

export type LocalCloudOptions = ServersOptions & DeployStacksOptions & ConsumersOptions;

/** The whole local cloud: servers, stacks, topics, and consumers at work. */
export interface LocalCloud extends AsyncDisposable {
  readonly description: CloudDescription;
  readonly kafka: LocalKafka;
  readonly consumers: RunningConsumers;
  stop(): Promise<void>;
}

/**
 * Starts everything, deploys, makes the topics and lets the event source run.
 *
 * @throws LocalCloudError if something is missing or fails; nothing is left running
 */
export async function startLocalCloud(options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const servers = await startServers(options);
  try {
    const description = await deployStacks(servers, options);
    const consumers = await runConsumers(description, options);
    const stop = async () => {
      await consumers.stop();
      await servers.stop();
    };
    return { description, kafka: servers.kafka, consumers, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/** Deploys the stacks, again to deploy what has changed, and makes the topics that they name and that do not exist yet. */
export async function deployStacks(servers: Servers, options: DeployStacksOptions = {}): Promise<CloudDescription> {
  const { endpoint, clusterArn, runFolder, kafka } = servers;
  const { stage = 'local', app, onProgress, partitions } = options;
  await deploy({
    endpoint,
    runFolder,
    context: { ...options.context, stage, clusterArn },
    ...(app !== undefined && { app }),
    ...(onProgress && { onProgress }),
  });
  const deployed = await readDeployed(endpoint);
  const topics = deployed.consumers
    .flatMap(({ topic, deadLetterTopic }) => (deadLetterTopic ? [topic, deadLetterTopic] : [topic]))
    .map((topic) => ({ ...topic, partitions: partitions ?? topic.partitions ?? DEFAULT_PARTITIONS }));
  await makeTopics(
    kafka.bootstrapServers,
    // Consumers may share topics.
    [...new Map(topics.map((topic) => [topic.topicName, topic])).values()],
  );
  return {
    endpoint,
    clusterArn,
    deployed,
    bootstrapServers: kafka.bootstrapServers,
    ...(kafka.toolsClassPath !== undefined && { toolsClassPath: kafka.toolsClassPath }),
  };
}
