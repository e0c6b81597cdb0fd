import { readFile } from 'node:fs/promises';
import { type Kafka, logLevel } from 'kafkajs';
import { type CloudDescription, readCloudFile } from '../infra/local/cloud-description.ts';
import { appFolder } from '../infra/local/dev/cdk-app.ts';
import { kafkaJsClient } from '../shared/adapters/kafka/kafkajs-client.ts';

/** The cloud that runs the app around the working directory. Another one, as a test's, is named by a file of its own. */
export async function describedCloud(): Promise<CloudDescription> {
  const file = process.env['LOCKSTEP_CLOUD_FILE'];
  if (file !== undefined) return JSON.parse(await readFile(file, 'utf8'));
  return readCloudFile(appFolder(process.cwd()) ?? process.cwd());
}

/** Where `produce` and `consume` find Kafka: the broker that the command line names, or that of the local cloud. */
export async function localKafka(
  clientId: string,
  given: string | undefined,
): Promise<{ readonly brokers: readonly string[]; readonly kafka: Kafka }> {
  const brokers = (given ?? (await describedCloud()).bootstrapServers).split(',');
  return { brokers, kafka: kafkaJsClient({ clientId, brokers, logLevel: logLevel.NOTHING, retry: { retries: 3 } }) };
}
