import type { TestProject } from 'vitest/node';
import type { ServersDescription } from '../../infra/local/cloud-description.ts';
import { type Servers, startServers } from '../../infra/local/servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Kafka and MiniStack of a run of the long suites; nothing is deployed. */
    servers: ServersDescription;
  }
}

let servers: Servers | undefined;

export async function setup(project: TestProject): Promise<void> {
  servers = await startServers();
  project.provide('servers', servers.description);
}

export async function teardown(): Promise<void> {
  await servers?.stop();
}
