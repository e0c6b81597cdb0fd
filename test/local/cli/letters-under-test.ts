import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { logLevel } from 'kafkajs';
import type { ServersDescription } from '../../../infra/local/cloud-description.ts';
import { clientConfig, endpointEnvironment } from '../../../infra/local/local-endpoint.ts';
import { makeTopics } from '../../../infra/local/topics.ts';
import { dynamoDbStackSecret } from '../../../shared/adapters/dynamodb/dynamodb-stack-secret.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import type { OperatorAnswers } from '../../../shared/operator/answers.ts';
import type { OperatorRequest } from '../../../shared/operator/requests.ts';
import { commandEnvironment } from '../fixtures/command-environment.ts';
import { PARTITIONS, produceLetters } from './many-letters.ts';

/** What a process took. */
export interface Measured {
  readonly stdout: string;
  readonly seconds: number;
  readonly peakBytes: number;
  /** All threads, user and system: other work on the machine changes it little. */
  readonly cpuSeconds: number;
}

/** A dead-letter topic full of letters, and what operates on it. */
export interface LettersUnderTest {
  /** Of all values and headers. */
  readonly bytes: number;
  /** Runs `lockstep`. */
  lockstep(...args: readonly string[]): Promise<Measured>;
  /** Calls the operator function, in a process of its own. */
  operator<Type extends 'groups' | 'letters'>(
    request: Extract<OperatorRequest, { readonly type: Type }>,
  ): Promise<Measured & { readonly answer: OperatorAnswers[Type] }>;
  /** Starts `lockstep console`, with the heap that Node gives it. */
  startConsole(): Promise<{ readonly address: string; stop(): Promise<Pick<Measured, 'peakBytes'>> }>;
  /** Reads the topic with a plain consumer that only counts, in a process that gets so much heap. */
  readPlainly(heapMib: number): Promise<Measured>;
  stop(): Promise<void>;
}

/** A ledger that holds nothing but its secret. */
async function makeLedger({ endpoint }: ServersDescription, table: string): Promise<Buffer> {
  const client = new DynamoDBClient(clientConfig(endpoint));
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  try {
    return await dynamoDbStackSecret({ client, table })();
  } finally {
    client.destroy();
  }
}

/** What else belongs to the consumer. */
interface ManyOptions {
  /** @default as many as the dead-letter topic has */
  readonly sourcePartitions?: number;
  /** @default none, as no command of these tests asks for them */
  readonly facts?: { readonly MappingId: string; readonly FallbackQueueUrl: string };
}

/** Writes so many letters of three causes. @param heapMib - what each process gets of heap */
export async function manyLetters(
  servers: ServersDescription,
  count: number,
  heapMib: number,
  { sourcePartitions = PARTITIONS, facts }: ManyOptions = {},
): Promise<LettersUnderTest> {
  const { bootstrapServers, clusterArn } = servers;
  const source = `many-${count}-${Date.now()}`;
  const deadLetterTopic = `${source}-dead-letters`;
  const kafka = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const topics = [
    { topicName: source, partitions: sourcePartitions },
    { topicName: deadLetterTopic, partitions: PARTITIONS },
  ];
  await makeTopics(bootstrapServers, topics);
  const ledgerTable = `${source}-ledger`;
  const secret = await makeLedger(servers, ledgerTable);
  const bytes = await produceLetters(kafka, source, deadLetterTopic, count, secret);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-many-'));
  const outputs = {
    ManyLockstepConsumer: JSON.stringify({
      MappingId: 'none',
      Topic: source,
      ConsumerGroup: 'billing',
      DeadLetterTopic: deadLetterTopic,
      LedgerTable: ledgerTable,
      ClusterId: 'c',
      FallbackQueueUrl: 'none',
      ...facts,
    }),
  };
  const cloudFile = join(folder, 'cloud.json');
  await writeFile(cloudFile, JSON.stringify({ ...servers, deployed: { outputs } }));
  const costsFile = join(folder, 'costs');
  const env = {
    ...commandEnvironment(),
    // The operator function asks the ledger for the secret.
    ...endpointEnvironment(servers.endpoint),
    COSTS_FILE: costsFile,
    LOCKSTEP_CLOUD_FILE: cloudFile,
    LOCKSTEP_CONSUMER_GROUP: 'billing',
    LOCKSTEP_DEAD_LETTER_TOPIC: deadLetterTopic,
    LOCKSTEP_TOPIC: source,
    LOCKSTEP_KAFKA_AUTH: 'none',
    LOCKSTEP_BOOTSTRAP_SERVERS: bootstrapServers,
    LOCKSTEP_EVENT_SOURCE_ARN: clusterArn,
    LOCKSTEP_CLUSTER_ARN: clusterArn,
    LOCKSTEP_MAX_ATTEMPTS: '5',
    LOCKSTEP_MAX_INTERRUPTIONS: '3',
    LOCKSTEP_KEY_NAMESPACES: 'billing',
    LOCKSTEP_LEDGER_TABLE: ledgerTable,
    LOCKSTEP_FALLBACK_QUEUE_URL: 'none',
    NO_COLOR: '1',
  };

  const consoles: ChildProcess[] = [];
  const run = async (module: string, args: readonly string[], heap = heapMib): Promise<Measured> => {
    const startedAt = performance.now();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`--max-old-space-size=${heap}`, '--import', './test/local/cli/fixtures/process-costs.ts', module, ...args],
      { maxBuffer: 1024 * 1_048_576, env },
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    const costs: Omit<Measured, 'stdout' | 'seconds'> = JSON.parse(await readFile(costsFile, 'utf8'));
    const what = [module, ...args].join(' ').slice(0, 100);
    const mebibytes = Math.round(costs.peakBytes / 1_048_576);
    console.log(
      `${what}: ${seconds.toFixed(1)} s, ${costs.cpuSeconds.toFixed(1)} s of CPU, ${mebibytes} MiB resident at most`,
    );
    return { stdout, seconds, ...costs };
  };

  return {
    bytes,
    lockstep: (...args) => run('cli/main.ts', [...args, '--local']),
    operator: async (request) => {
      const { stdout, ...costs } = await run('test/local/cli/fixtures/call-operator.ts', [JSON.stringify(request)]);
      return { stdout, ...costs, answer: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') };
    },
    startConsole: async () => {
      const measured = ['--import', './test/local/cli/fixtures/process-costs.ts'];
      const args = [...measured, 'cli/main.ts', 'console', '--local', '--json'];
      const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
      consoles.push(started);
      const [line] = await once(createInterface(started.stdout), 'line');
      return {
        address: JSON.parse(line).address,
        stop: async () => {
          started.kill('SIGINT');
          await once(started, 'exit');
          return JSON.parse(await readFile(costsFile, 'utf8'));
        },
      };
    },
    readPlainly: (heap) => run('test/local/cli/fixtures/read-plainly.ts', [String(count)], heap),
    stop: async () => {
      for (const one of consoles) one.kill('SIGKILL');
      const admin = kafka.admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [source, deadLetterTopic] });
      await admin.disconnect();
      await rm(folder, { recursive: true });
    },
  };
}
