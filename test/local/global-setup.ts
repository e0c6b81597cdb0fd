import type { TestProject } from 'vitest/node';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import { deployStacks } from '../../infra/local/deploy-stacks.ts';
import { type Servers, startServers } from '../../infra/local/servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's local cloud: Kafka, MiniStack and the app's stacks. Nothing is polled: a test runs the consumers it needs. */
    localCloud: CloudDescription;
  }
}

/** Partitions of every topic: more than a consumer has pollers. */
const PARTITIONS = 6;

let servers: Servers | undefined;

/**
 * Starts one local cloud for the whole run. In a test: `runConsumers(inject('localCloud'), { consumers: ['Orders'] })`, and
 * `deployStacks(inject('localCloud'), { app })` for stacks of its own.
 */
export async function setup(project: TestProject): Promise<void> {
  servers = await startServers();
  try {
    project.provide('localCloud', await deployStacks(servers.description, { partitions: PARTITIONS }));
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  await servers?.stop();
}
