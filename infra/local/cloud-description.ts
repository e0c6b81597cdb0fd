import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployed } from './deployed.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import type { LocalEndpoint } from './local-endpoint.ts';
import { isAlive, LOCAL_FOLDER } from './local-folder.ts';

/**
 * Where tools find the cloud that runs an app: a {@link CloudDescription} as JSON, with its secret. Only this user may read it.
 *
 * @param folder - the app's
 */
export function cloudFileOf(folder: string): string {
  const app = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 12);
  return join(LOCAL_FOLDER, `cloud-${app}.json`);
}

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
export async function writeCloudFile(folder: string, description: CloudDescription): Promise<void> {
  const file = cloudFileOf(folder);
  // Writing to an existing file would keep its old mode.
  await rm(file, { force: true });
  await writeFile(file, `${JSON.stringify({ pid: process.pid, ...description }, null, 2)}\n`, { mode: 0o600 });
}

/** The process that runs an app on the local cloud; `undefined` where none does. */
export async function cloudProcess(folder: string): Promise<number | undefined> {
  const text = await readFile(cloudFileOf(folder), 'utf8').catch(() => '{}');
  const { pid } = JSON.parse(text);
  // A process that was killed leaves its file.
  return typeof pid === 'number' && isAlive(pid) ? pid : undefined;
}

/** @throws LocalCloudError if no local cloud runs the app of this folder */
export async function readCloudFile(folder: string): Promise<CloudDescription> {
  if ((await cloudProcess(folder)) === undefined)
    throw new LocalCloudError(`No local cloud runs the app of ${folder}. Start it there: npx lockstep dev`);
  return JSON.parse(await readFile(cloudFileOf(folder), 'utf8'));
}

/** Called when this cloud ends. */
export async function removeCloudFile(folder: string): Promise<void> {
  await rm(cloudFileOf(folder), { force: true });
}
