import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployed } from './deployed.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import { LOCAL_FOLDER } from './local-folder.ts';

/**
 * Where tools find the cloud that `npm run local` started: a {@link CloudDescription} as JSON, with its secret. Only this user
 * may read it.
 */
export const CLOUD_FILE = join(LOCAL_FOLDER, 'cloud.json');

/** Where the servers are. Plain data. */
export interface ServersDescription {
  readonly endpoint: LocalEndpoint;
  readonly bootstrapServers: string;
  /** Class path of Kafka's own tools; absent for a broker that we did not start. */
  readonly toolsClassPath?: string;
  /** ARN of an MSK cluster with those brokers. */
  readonly clusterArn: string;
  /** Logs of the servers, synthesized templates. */
  readonly runFolder: string;
}

/** Everything that another process needs to use the local cloud. Plain data. */
export interface CloudDescription extends ServersDescription {
  readonly deployed: Deployed;
}

/** Lets tools find this cloud. */
export async function writeCloudFile(description: CloudDescription): Promise<void> {
  // Writing to an existing file would keep its old mode.
  await rm(CLOUD_FILE, { force: true });
  await writeFile(CLOUD_FILE, `${JSON.stringify(description, null, 2)}\n`, { mode: 0o600 });
}

/** @throws LocalCloudError if no local cloud is running */
export async function readCloudFile(): Promise<CloudDescription> {
  const text = await readFile(CLOUD_FILE, 'utf8').catch(() => {
    throw new LocalCloudError(`No local cloud is running (${CLOUD_FILE} is not there). Start it: npm run local`);
  });
  return JSON.parse(text);
}

/** Called when this cloud ends. */
export async function removeCloudFile(): Promise<void> {
  await rm(CLOUD_FILE, { force: true });
}
