import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { makeTopics } from '../../../infra/local/topics.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { PARTITIONS, produceLetters } from './many-letters.ts';

const LETTERS = 100_000;
/** What the commands get of heap: the letters come to more. */
const HEAP_MIB = 64;
/** What a plain consumer gets, which would run out of the other. */
const PLAIN_HEAP_MIB = 1_024;
/** Resident bytes: Node and the modules of the command, the heap, and buffers that wait for the collector. */
const MOST_RESIDENT_BYTES = 320 * 1_048_576;

const source = `many-${Date.now()}`;
const deadLetterTopic = `${source}-dead-letters`;
const cloud = inject('localCloud');
const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
let folder: string;
let bytes: number;

beforeAll(async () => {
  await admin.connect();
  const topics = [source, deadLetterTopic].map((topicName) => ({ topicName, partitions: PARTITIONS }));
  // kafkajs gives up where the broker's metadata do not show a new topic at once.
  await vi.waitFor(() => makeTopics(cloud.bootstrapServers, topics), { timeout: 60_000, interval: 500 });
  bytes = await produceLetters(kafka, source, deadLetterTopic, LETTERS);
  folder = await mkdtemp(join(tmpdir(), 'lockstep-many-'));
  const outputs = {
    ManyMappingId: 'none',
    ManyTopic: source,
    ManyConsumerGroup: 'billing',
    ManyDeadLetterTopic: deadLetterTopic,
    ManyLedgerTable: 'none',
    ManyClusterId: 'c',
    ManyFallbackQueueUrl: 'none',
  };
  await writeFile(join(folder, 'cloud.json'), JSON.stringify({ ...cloud, deployed: { outputs } }));
}, 200_000);

afterAll(async () => {
  await admin.deleteTopics({ topics: [source, deadLetterTopic] });
  await admin.disconnect();
  await rm(folder, { recursive: true });
});

interface Measured {
  readonly stdout: string;
  readonly seconds: number;
  readonly peakBytes: number;
  /** All threads, user and system: other work on the machine changes it little. */
  readonly cpuSeconds: number;
}

/** Runs a module in a process that has little memory, unless it is given more. */
async function run(module: string, args: readonly string[], heapMib = HEAP_MIB): Promise<Measured> {
  const costsFile = join(folder, 'costs');
  const startedAt = performance.now();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`--max-old-space-size=${heapMib}`, '--import', './test/local/cli/fixtures/process-costs.ts', module, ...args],
    {
      maxBuffer: 1024 * 1_048_576,
      env: {
        ...process.env,
        COSTS_FILE: costsFile,
        LOCKSTEP_CLOUD_FILE: join(folder, 'cloud.json'),
        LOCKSTEP_CONSUMER_GROUP: 'billing',
        LOCKSTEP_DEAD_LETTER_TOPIC: deadLetterTopic,
        LOCKSTEP_TOPIC: source,
        LOCKSTEP_KAFKA_AUTH: 'none',
        LOCKSTEP_BOOTSTRAP_SERVERS: cloud.bootstrapServers,
        LOCKSTEP_EVENT_SOURCE_ARN: cloud.clusterArn,
        LOCKSTEP_CLUSTER_ARN: cloud.clusterArn,
        LOCKSTEP_MAX_ATTEMPTS: '5',
        LOCKSTEP_MAX_INTERRUPTIONS: '3',
        LOCKSTEP_KEY_NAMESPACES: 'billing',
        LOCKSTEP_LEDGER_TABLE: 'none',
        LOCKSTEP_FALLBACK_QUEUE_URL: 'none',
        NO_COLOR: '1',
      },
    },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const costs: Omit<Measured, 'stdout' | 'seconds'> = JSON.parse(await readFile(costsFile, 'utf8'));
  const what = [module, ...args].join(' ').slice(0, 100);
  const mebibytes = Math.round(costs.peakBytes / 1_048_576);
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${costs.cpuSeconds.toFixed(1)} s of CPU, ${mebibytes} MiB resident at most`,
  );
  return { stdout, seconds, ...costs };
}

const lockstep = (...args: readonly string[]) => run('cli/main.ts', [...args, '--local']);
const operator = (request: unknown) =>
  run('test/local/cli/fixtures/call-operator.ts', [JSON.stringify(request)]).then(({ stdout, ...measured }) => ({
    answer: JSON.parse(stdout.trim().split('\n').at(-1) ?? ''),
    ...measured,
  }));

test('100,000 letters are grouped, listed and redriven in less memory than they come to', async () => {
  expect(bytes).toBeGreaterThan(HEAP_MIB * 1_048_576);
  console.log((await run('test/local/cli/fixtures/read-plainly.ts', [String(LETTERS)], PLAIN_HEAP_MIB)).stdout);

  await lockstep('dead-letters', 'groups', '--help');
  const groups = await lockstep('dead-letters', 'groups', '--json');
  const list = await lockstep('dead-letters', 'list');
  const all = await lockstep('dead-letters', 'list', '--limit', String(LETTERS), '--json');
  const redrive = await lockstep('redrive', '--fingerprint', 'print-0', '--yes', '--json');
  const after = await lockstep('dead-letters', 'groups', '--json');

  expect(JSON.parse(groups.stdout).groups.map(({ count }: { count: number }) => count)).toEqual([
    33_334, 33_333, 33_333,
  ]);
  expect(list.stdout).toMatch(/\n50 of 100,000; --limit shows more\.\n$/);
  const { letters, total } = JSON.parse(all.stdout);
  expect(total).toBe(LETTERS);
  expect(new Set(letters.map(({ id }: { id: string }) => id)).size).toBe(LETTERS);
  expect(JSON.parse(redrive.stdout)).toMatchObject({ selected: 33_334, done: 33_334, left: 0 });
  expect(JSON.parse(after.stdout)).toMatchObject({ letters: 66_666, groups: [{ count: 33_333 }, { count: 33_333 }] });
  for (const { peakBytes } of [groups, list, all, redrive, after]) expect(peakBytes).toBeLessThan(MOST_RESIDENT_BYTES);
}, 400_000);

test('the operator function needs no more, and gives a long list page by page', async () => {
  const groups = await operator({ type: 'groups', filter: {} });
  const first = await operator({ type: 'letters', filter: {}, limit: LETTERS });
  const second = await operator({ type: 'letters', filter: {}, limit: LETTERS, after: first.answer.next });

  expect(groups.answer.letters).toBe(66_666);
  expect(first.answer.total).toBe(66_666);
  const ids = [first, second].flatMap(({ answer }) => answer.letters.map(({ id }: { id: string }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  for (const { answer } of [first, second]) {
    expect(answer.letters.length).toBeGreaterThan(1_000);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(6_000_000);
  }
  for (const { peakBytes } of [groups, first, second]) expect(peakBytes).toBeLessThan(MOST_RESIDENT_BYTES);
}, 200_000);
