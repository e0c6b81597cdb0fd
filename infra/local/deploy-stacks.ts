import type { CloudDescription, ServersDescription } from './cloud-description.ts';
import { deploy } from './deploy.ts';
import { type Deployed, readDeployed } from './deployed.ts';
import { makeTopics, type TopicToMake } from './topics.ts';

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

/**
 * Deploys an app's stacks, again to deploy what has changed, and makes the topics that they name and that do not exist yet.
 *
 * @returns the servers and what of the app is deployed
 */
export async function deployStacks(
  servers: ServersDescription,
  options: DeployStacksOptions = {},
): Promise<CloudDescription> {
  const { endpoint, clusterArn, runFolder, bootstrapServers } = servers;
  const { stage = 'local', app, onProgress, partitions } = options;
  const stackNames = await deploy({
    endpoint,
    runFolder,
    context: { ...options.context, stage, clusterArn, bootstrapServers },
    ...(app !== undefined && { app }),
    ...(onProgress && { onProgress }),
  });
  const deployed = await readDeployed(endpoint, stackNames);
  await makeTopics(bootstrapServers, topicsOf(deployed, partitions));
  return { ...servers, deployed };
}

/** Sources and dead-letter topics, each once: consumers may share them. */
function topicsOf({ consumers }: Deployed, partitions: number | undefined): TopicToMake[] {
  const topics = consumers
    .flatMap(({ topic, deadLetterTopic }) =>
      deadLetterTopic ? [topic, { ...deadLetterTopic, stampsOnAppend: true }] : [topic],
    )
    .map((topic) => ({ ...topic, partitions: partitions ?? topic.partitions ?? DEFAULT_PARTITIONS }));
  return [...new Map(topics.map((topic) => [topic.topicName, topic])).values()];
}
