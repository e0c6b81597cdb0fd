import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, logLevel } from 'kafkajs';
import { inject } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { kafkaJsTopicLog } from '../../../shared/adapters/kafka/kafkajs-topic-log.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { type Letter, parseLetter } from '../../../shared/decide/letter.ts';
import { startCounterpart } from '../consumer/counterpart.ts';
import { commandEnvironment } from '../fixtures/command-environment.ts';
import { operatedStackName } from './fixtures/operated-stack.ts';

const CLI = 'cli/main.ts';
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lets a consumer run that is deployed with its relay and operator functions on the run's cloud, and gives the `lockstep` command for it. */
export async function startOperated(name: string) {
  const servers = inject('localCloud');
  const counterpart = await startCounterpart();
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-cli-'));
  const cloudFile = join(folder, 'cloud.json');
  const printed: string[] = [];
  const cloud = await openStacks(servers, [operatedStackName(name)]);
  await writeFile(cloudFile, JSON.stringify(cloud));
  const [consumer] = cloud.deployed.consumers as readonly [DeployedConsumer];
  const set = (environment: Readonly<Record<string, string>> = {}) =>
    setFunction(cloud.endpoint, consumer.function, {
      environment: { COUNTERPART_URL: counterpart.url, ...environment },
    });
  await set();
  const running = await runConsumers(cloud, { onLog: (from, line) => printed.push(`${from}: ${line}`) });
  const kafka = kafkaJsClient({ brokers: [cloud.bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 8 } });
  const admin: Admin = kafka.admin();
  await admin.connect();
  const log = kafkaJsTopicLog({
    brokers: () => cloud.bootstrapServers,
    authentication: { auth: 'none' },
    clock: systemClock,
    log: silent,
  });
  const env = { ...commandEnvironment(), LOCKSTEP_CLOUD_FILE: cloudFile, LOCKSTEP_OPERATOR: 'ann', NO_COLOR: '1' };
  const args = (command: readonly string[]) => [CLI, ...command, '--local'];
  const deadLetterTopic = consumer.deadLetterTopic?.topicName ?? '';

  const lockstep = (...command: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, args(command), { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
      });
    });

  return {
    cloud,
    consumer,
    counterpart,
    kafka,
    admin,
    printed,
    running,
    deadLetterTopic,
    /** Sets variables of the consumer's function; those of an earlier call are as deployed again. */
    set,
    /** Runs `lockstep` to its end. */
    lockstep,
    /** Runs `lockstep --json`, which must end well. */
    ask: async (...command: readonly string[]) => {
      const { code, stdout, stderr } = await lockstep(...command, '--json');
      if (code !== 0) throw new Error(`lockstep ${command.join(' ')} ended with ${code}: ${stderr}${stdout}`);
      return JSON.parse(stdout);
    },
    /** Starts `lockstep` and leaves it to the test. */
    start: (...command: readonly string[]) => spawn(process.execPath, args(command), { env, stdio: 'ignore' }),
    /** Starts `lockstep`, whose output the test reads. */
    startAndRead: (...command: readonly string[]) =>
      spawn(process.execPath, args(command), { env, stdio: ['ignore', 'pipe', 'inherit'] }),
    /** Starts `lockstep` in a terminal of its own, into which the test may type. */
    startInTerminal: (...command: readonly string[]) => {
      const run = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
      // A terminal without a size has no room for a progress bar.
      const sized = ['sh', '-c', 'stty cols 100 rows 30 && exec "$@"', 'sh'];
      const child = spawn('python3', ['-c', run, ...sized, process.execPath, ...args(command)], {
        env,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (bytes) => {
        output += bytes;
      });
      return { child, type: (text: string) => child.stdin.write(text), output: () => output };
    },
    /** Records, each with its partition, in order. */
    produce: async (
      records: readonly { readonly value: string; readonly key: string; readonly partition: number }[],
    ) => {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      await producer.send({ topic: consumer.topic.topicName, acks: -1, messages: [...records] });
      await producer.disconnect();
    },
    /** All letters on the topic, whatever became of them. */
    letters: async (): Promise<Letter[]> => {
      const found: Letter[] = [];
      const bounds = [...(await log.bounds(deadLetterTopic, Date.now() + 10_000))];
      for (const { partition, start, end } of bounds.sort((a, b) => a.partition - b.partition)) {
        for (let from = start; from < end; ) {
          const slice = await log.readRange(
            { topic: deadLetterTopic, partition },
            { from, to: end - 1 },
            Date.now() + 10_000,
          );
          for (const { offset, record } of slice.records) {
            const letter = parseLetter({ partition, offset, ...record });
            if (letter !== undefined) found.push(letter);
          }
          from = slice.next;
        }
      }
      return found;
    },
    /** Records that the group has not committed. */
    lag: async () => {
      const { topic, consumerGroupId: groupId } = consumer.mapping;
      const ends = await admin.fetchTopicOffsets(topic);
      const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const at = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, at.get(partition) ?? 0), 0);
    },
    /** How many offsets the source holds. */
    ends: async () =>
      (await admin.fetchTopicOffsets(consumer.topic.topicName)).reduce((sum, { high }) => sum + Number(high), 0),
    stop: async () => {
      await running.stop();
      await log.disconnect();
      await admin.disconnect();
      await counterpart.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export type Operated = Awaited<ReturnType<typeof startOperated>>;
