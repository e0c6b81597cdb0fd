import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { freePorts } from './free-ports.ts';
import { spawnGuarded } from './guard.ts';
import { createRunFolder } from './local-folder.ts';
import { mavenJars } from './maven-jars.ts';
import { requireJava } from './requirements.ts';
import { SHORT_LIVED_JAVA } from './short-lived-java.ts';
import { startWithOtherPorts, untilReady } from './until-ready.ts';

const READY_WITHIN_MS = 60_000;
const RHINO = 'org.mozilla.javascript.tools.shell.Main';

/** AWS's own DynamoDB Local, with the semantics of DynamoDB. */
export interface DynamoDbLocal extends AsyncDisposable {
  readonly endpoint: string;
  /** What a `DynamoDBClient` needs to reach it. */
  readonly clientConfig: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  stop(): Promise<void>;
}

/**
 * Starts DynamoDB Local in memory on 127.0.0.1; it is empty, and takes any credentials. The first call on a machine downloads it.
 *
 * @throws LocalCloudError if Java or Maven is missing, or it does not come up
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const java = await requireJava();
  const jars = await mavenJars('dynamodb-local', join(import.meta.dirname, 'dynamodb-local-pom.xml'));
  const folder = await createRunFolder();
  return startWithOtherPorts(async () => {
    const [port = 0] = await freePorts(1);
    const script = join(import.meta.dirname, 'dynamodb-local-main.js');
    const args = [
      '-Xmx512m',
      ...SHORT_LIVED_JAVA,
      `-Djava.library.path=${jars}`,
      '-cp',
      join(jars, '*'),
      RHINO,
      script,
      String(port),
    ];
    const server = spawnGuarded(java, args, { output: join(folder, `dynamodb-local-${port}.log`) });
    const endpoint = `http://127.0.0.1:${port}`;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const clientConfig = { endpoint, region: 'us-east-1', credentials };
    try {
      await untilReady('DynamoDB Local', server, () => answers(clientConfig), READY_WITHIN_MS);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return { endpoint, clientConfig, stop: server.stop, [Symbol.asyncDispose]: server.stop };
  });
}

async function answers(clientConfig: DynamoDbLocal['clientConfig']): Promise<boolean> {
  const client = new DynamoDBClient({ ...clientConfig, maxAttempts: 1 });
  return client
    .send(new ListTablesCommand({}))
    .then(
      () => true,
      () => false,
    )
    .finally(() => client.destroy());
}
