import { setTimeout } from 'node:timers/promises';
import { logLevel, type Producer } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { CloudDescription } from '../../../infra/local/cloud-description.ts';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { deployStacks, openStacks } from '../../../infra/local/deploy-stacks.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { startSwitchboard } from '../fixtures/switchboard.ts';
import { UPDATES_STACK } from './fixtures/updates-stack.ts';

const APP = 'npx node test/local/updates/fixtures/updates-app.ts';
const TOPIC = 'updated';
const PARTITIONS = [0, 1];
/** While records flow. */
const PRODUCED_EVERY_MS = 20;

/** Records `<partition>-<number>` without end, one after another in each partition, until it is stopped. */
function flow(producer: Producer) {
  const produced = PARTITIONS.map((): string[] => []);
  let isStopped = false;
  const send = async (partition: number, values: readonly string[]) => {
    await producer.send({ topic: TOPIC, acks: -1, messages: values.map((value) => ({ partition, value })) });
    produced[partition]?.push(...values);
  };
  const next = (partition: number, count: number) =>
    Array.from({ length: count }, (_, index) => `${partition}-${(produced[partition]?.length ?? 0) + index}`);
  const running = (async () => {
    while (!isStopped) {
      for (const partition of PARTITIONS) await send(partition, next(partition, 1));
      await setTimeout(PRODUCED_EVERY_MS);
    }
  })();
  return {
    produced,
    /** Ends the flow with so many at once in each partition. */
    end: async (count: number) => {
      isStopped = true;
      await running;
      for (const partition of PARTITIONS) await send(partition, next(partition, count));
    },
  };
}

test('a changed function and a changed batch size, deployed while records flow, lose nothing and keep the order', async () => {
  const servers = inject('localCloud');
  const switchboard = await startSwitchboard();
  onTestFinished(() => switchboard.stop());
  const deploy = (version: string, batchSize: number): Promise<CloudDescription> =>
    deployStacks(servers, {
      app: APP,
      context: { switchboardUrl: switchboard.url, version, batchSize: String(batchSize) },
    });
  const handled = (version: string) => switchboard.asked.filter((word) => word.startsWith(`${version}/`)).length;
  const printed: string[] = [];
  const onLog = (_: string, line: string) => void printed.push(line);
  const kafka = kafkaJsClient({ brokers: [servers.bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  onTestFinished(async () => void (await Promise.all([producer.disconnect(), admin.disconnect()])));

  // Version v1, with batches of 5, is deployed with the run's cloud.
  const first = await openStacks(servers, [UPDATES_STACK]);
  for (const { function: deployed } of first.deployed.consumers) {
    await setFunction(first.endpoint, deployed, { environment: { SWITCHBOARD_URL: switchboard.url } });
  }
  let running = await runConsumers(first, { onLog });
  onTestFinished(() => running.stop());
  const records = flow(producer);
  await expect.poll(() => handled('v1'), { timeout: 180_000 }).toBeGreaterThan(20);

  // First the function changes while pollers run; then the mapping itself, which Lambda stops in the middle of a batch and starts again.
  const second = await deploy('v2', 100);
  await expect.poll(() => handled('v2'), { timeout: 180_000 }).toBeGreaterThan(20);
  await running.stop();
  await records.end(300);
  running = await runConsumers(second, { onLog });

  await expect
    .poll(
      async () => {
        const [ends, [group]] = await Promise.all([
          admin.fetchTopicOffsets(TOPIC),
          admin.fetchOffsets({ groupId: 'Updates-Updated', topics: [TOPIC] }),
        ]);
        const offsets = new Map(group?.partitions.map(({ partition, offset }) => [partition, offset]));
        return PARTITIONS.every((at) => offsets.get(at) === ends.find(({ partition }) => partition === at)?.high);
      },
      { timeout: 180_000, interval: 250 },
    )
    .toBe(true);
  await running.catchUp();

  const firstTries = [...new Set(switchboard.asked.map((word) => word.slice('v1/'.length)))];
  for (const partition of PARTITIONS) {
    expect(firstTries.filter((record) => record.startsWith(`${partition}-`))).toEqual(records.produced[partition]);
    // Nothing of a partition met the old code after the new one.
    const versions = switchboard.asked.filter((word) => word.slice('v1/'.length).startsWith(`${partition}-`));
    expect(versions.map((word) => word.slice(0, 2)).join(' ')).toMatch(/^(v1 )+(v2 ?)+$/);
  }
  const sizes = (version: string) =>
    printed.flatMap((line) => Number(new RegExp(`${version}: an event of (\\d+) records`).exec(line)?.[1] ?? []));
  expect(Math.max(...sizes('v1'))).toBeLessThanOrEqual(5);
  expect(Math.max(...sizes('v2'))).toBe(100);
  const letters = await admin.fetchTopicOffsets('Updates-Updated-dead-letters');
  expect(letters.map(({ high }) => high)).toEqual(letters.map(() => '0'));
});
