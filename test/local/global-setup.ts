import type { TestProject } from 'vitest/node';
import type { CloudDescription } from '../../infra/local/cloud-description.ts';
import { deploy } from '../../infra/local/deploy.ts';
import { openStacks } from '../../infra/local/deploy-stacks.ts';
import { type Servers, startServers } from '../../infra/local/servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's local cloud: Kafka, MiniStack and the local stage. Nothing is polled: a test runs the consumers it needs. */
    localCloud: CloudDescription;
  }
}

/** Partitions of every topic of the stage: more than a consumer has pollers. */
const PARTITIONS = 6;
const STAGE_STACKS = ['Lockstep-Orders-local', 'Lockstep-Patterns-local', 'Lockstep-Stock-local'];
const APP = 'npx node test/local/app/main.ts';

let servers: Servers | undefined;

/**
 * Starts one local cloud for the whole run and deploys what all suites need at once: test/local/app. A suite opens its own stack
 * with `openStacks(inject('localCloud'), [name])`. Suites run side by side: a topic, a group and a consumer belong to one of them.
 */
export async function setup(project: TestProject): Promise<void> {
  servers = await startServers({ shortLived: true });
  const { description } = servers;
  const { endpoint, runFolder, clusterArn, bootstrapServers } = description;
  try {
    await deploy({ endpoint, runFolder, app: APP, context: { clusterArn, bootstrapServers } });
    project.provide('localCloud', await openStacks(description, STAGE_STACKS, { partitions: PARTITIONS }));
  } catch (error) {
    await teardown();
    throw error;
  }
}

export async function teardown(): Promise<void> {
  await servers?.stop();
}
