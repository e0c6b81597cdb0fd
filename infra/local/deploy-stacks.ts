import type { CloudDescription, ServersDescription } from './cloud-description.ts';
import { deploy } from './deploy.ts';
import { type Deployed, readDeployed } from './deployed.ts';
import type { DeployedTopic } from './deployed-consumer-facts.ts';
import { makeTopics, type TopicToMake } from './topics.ts';

/** Number of partitions where the stack does not say one. */
export const DEFAULT_PARTITIONS = 3;

export interface OpenStacksOptions {
  /** Number of partitions of every topic. @default as the stack says, otherwise {@link DEFAULT_PARTITIONS} */
  readonly partitions?: number;
  /** Names of the consumers that are asked for, with their functions; all queues and outputs are there. @default all */
  readonly consumers?: readonly string[];
}

export interface DeployStacksOptions extends OpenStacksOptions {
  /** `-c stage=…`. @default 'local' */
  readonly stage?: string;
  /** Further `-c name=value`. */
  readonly context?: Readonly<Record<string, string>>;
  /** Command of a CDK app other than the one of cdk.json. */
  readonly app?: string;
  /** Gets cdk's lines. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Deploys an app's stacks, or deploys what has changed, and makes the topics that they name and that do not exist yet.
 *
 * @returns the servers and what is deployed of the app
 */
export async function deployStacks(
  servers: ServersDescription,
  options: DeployStacksOptions = {},
): Promise<CloudDescription> {
  const { endpoint, clusterArn, runFolder, bootstrapServers } = servers;
  const { stage = 'local', app, onProgress } = options;
  const stackNames = await deploy({
    endpoint,
    runFolder,
    context: { ...options.context, stage, clusterArn, bootstrapServers },
    ...(app !== undefined && { app }),
    ...(onProgress && { onProgress }),
  });
  return openStacks(servers, stackNames, options);
}

/**
 * Reads deployed stacks, and makes the topics that they name and that do not exist yet.
 *
 * @returns the servers and what is deployed of these stacks
 */
export async function openStacks(
  servers: ServersDescription,
  stackNames: readonly string[],
  { partitions, consumers: wanted }: OpenStacksOptions = {},
): Promise<CloudDescription> {
  const all = await readDeployed(servers.endpoint, stackNames);
  const deployed = wanted === undefined ? all : ofConsumers(all, wanted);
  await makeTopics(servers.bootstrapServers, topicsOf(deployed, partitions, all));
  return { ...servers, deployed };
}

/** @throws if one of them is not deployed */
function ofConsumers(deployed: Deployed, names: readonly string[]): Deployed {
  const consumers = names.map((name) => {
    const found = deployed.consumers.find((consumer) => consumer.name === name);
    if (found === undefined) throw new Error(`no consumer ${name} is deployed`);
    return found;
  });
  return { ...deployed, consumers, functions: consumers.map((consumer) => consumer.function) };
}

/**
 * The topics that consumers read, dead-letter to and write to, each once.
 *
 * @param all - a topic that handlers write is not made here if one of these reads it, since that consumer describes the topic
 */
export function topicsOf(
  { consumers }: Pick<Deployed, 'consumers'>,
  partitions: number | undefined,
  all: Pick<Deployed, 'consumers'> = { consumers },
): TopicToMake[] {
  const own = consumers.flatMap(({ topic, deadLetterTopic }) =>
    deadLetterTopic ? [topic, { ...deadLetterTopic, stampsOnAppend: true }] : [topic],
  );
  const read = new Set(all.consumers.map(({ topic }) => topic.topicName));
  const written = consumers
    .flatMap(({ producesTo }) => producesTo)
    .flatMap((topicName): DeployedTopic[] => (read.has(topicName) ? [] : [{ topicName }]));
  const topics = [...written, ...own].map((topic) => ({
    ...topic,
    partitions: partitions ?? topic.partitions ?? DEFAULT_PARTITIONS,
  }));
  return [...new Map(topics.map((topic) => [topic.topicName, topic])).values()];
}
