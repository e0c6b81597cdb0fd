import type { CloudDescription } from './cloud-description.ts';
import { type ConsumersOptions, type RunningConsumers, runConsumers } from './consumers.ts';
import { type DeployStacksOptions, deployStacks } from './deploy-stacks.ts';
import type { LocalKafka } from './kafka.ts';
import { type ServersOptions, startServers } from './servers.ts';

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
    const description = await deployStacks(servers.description, options);
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
