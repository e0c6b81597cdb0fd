import { readFile } from 'node:fs/promises';
import { type CloudDescription, readCloudFile } from '../infra/local/cloud-description.ts';
import { appFolder } from '../infra/local/dev/cdk-app.ts';

/** The cloud that runs the app around the working directory. Another one, as a test's, is named by a file of its own. */
export async function describedCloud(): Promise<CloudDescription> {
  const file = process.env['LOCKSTEP_CLOUD_FILE'];
  if (file !== undefined) return JSON.parse(await readFile(file, 'utf8'));
  return readCloudFile(appFolder(process.cwd()) ?? process.cwd());
}

/** Where `produce` and `consume` find Kafka: the broker that the command line names, or that of the local cloud. */
export async function localBrokers(given: string | undefined): Promise<string[]> {
  return (given ?? (await describedCloud()).bootstrapServers).split(',');
}
