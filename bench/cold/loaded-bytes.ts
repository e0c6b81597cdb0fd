import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONSUMER_ENVIRONMENT } from '../measure/peers.ts';

/** Where a consumer's process finds a DynamoDB that grants every request. */
export interface DynamoDbVariables {
  readonly AWS_ENDPOINT_URL_DYNAMODB: string;
  /** File of the certificate authority, if it uses TLS. */
  readonly NODE_EXTRA_CA_CERTS?: string;
}

/** What was loaded until the first record was handled. */
export interface Loaded {
  readonly bytes: number;
  readonly files: number;
}

/**
 * Starts a bundle in a process of its own, has it answer `event`, and counts the bytes of the JavaScript that Node loaded from
 * files until then.
 */
export async function loadedBytes(folder: string, event: unknown, dynamoDb: DynamoDbVariables): Promise<Loaded> {
  const eventFile = join(folder, 'event.json');
  writeFileSync(eventFile, JSON.stringify(event));
  const here = import.meta.dirname;
  const child = spawn(
    process.execPath,
    ['--import', join(here, 'count-loaded.mjs'), join(here, 'first-answer.mjs'), join(folder, 'index.mjs'), eventFile],
    {
      env: { PATH: process.env['PATH'], ...CONSUMER_ENVIRONMENT, ...dynamoDb },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  );
  const errors: string[] = [];
  let report = '';
  child.stderr?.on('data', (chunk) => errors.push(String(chunk)));
  child.stdio[3]?.on('data', (chunk) => {
    report += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${folder} did not answer its first event: ${errors.join('')}`);
  // The measuring code is not part of the consumer.
  const loaded: Loaded = JSON.parse(report);
  return loaded;
}
