import { type Kafka, logLevel } from 'kafkajs';
import { inject } from 'vitest';
import type { CloudDescription, ServersDescription } from '../../../infra/local/cloud-description.ts';
import { type ConsumersOptions, type RunningConsumers, runConsumers } from '../../../infra/local/consumers.ts';
import { openStacks } from '../../../infra/local/deploy-stacks.ts';
import type { DeployedConsumer } from '../../../infra/local/deployed.ts';
import { type FunctionSettings, setFunction } from '../../../infra/local/function-settings.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import { kafkaJsOriginalReader } from '../../../shared/adapters/kafka/kafkajs-original-reader.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import type { OriginalBytes } from '../../../shared/ports/original-reader.ts';
import { type Counterpart, startCounterpart } from './counterpart.ts';
import { CONSUMERS, type Suite } from './fixtures/consumer-intents.ts';
import { CONSUMERS_STACK } from './fixtures/consumers-stack.ts';

/** A dead letter as it lies on the topic. */
export interface Letter extends OriginalBytes {
  readonly partition: number;
  readonly offset: number;
  /** As text. */
  readonly header: Readonly<Record<string, string>>;
}

/** Consumers that are deployed and at work. */
export interface ConsumersUnderTest {
  readonly cloud: CloudDescription;
  readonly kafka: Kafka;
  readonly counterpart: Counterpart;
  /** `<name>: <line>`, as functions print them. */
  readonly printed: readonly string[];
  readonly running: RunningConsumers;
  consumer(name: string): DeployedConsumer;
  /** Everything on a consumer's dead-letter topic, partition by partition. */
  letters(name: string): Promise<readonly Letter[]>;
  /** Records of a consumer's topic that its group has not committed. */
  lag(name: string): Promise<number>;
  /** Hands over what was printed by now. */
  catchUp(): Promise<void>;
  /** Changes a consumer's function; what polls polls on. Its counterpart stays. */
  set(name: string, settings: FunctionSettings): Promise<void>;
  stop(): Promise<void>;
}

export interface UnderTestOptions extends Pick<ConsumersOptions, 'invokerOf' | 'resend' | 'eventSource'> {
  /** What to poll. @default the run's local cloud */
  readonly servers?: ServersDescription;
  /** Of the functions before anything is polled, by consumer. */
  readonly settings?: Readonly<Record<string, FunctionSettings>>;
}

/** Lets the consumers of a suite run, which are deployed by the real construct; each finds the counterpart under `COUNTERPART_URL`. */
export async function startConsumers(
  suite: Suite,
  { servers = inject('localCloud'), settings = {}, ...options }: UnderTestOptions = {},
): Promise<ConsumersUnderTest> {
  const counterpart = await startCounterpart();
  const { bootstrapServers } = servers;
  const kafka = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 8 } });
  const admin = kafka.admin();
  const reader = kafkaJsOriginalReader({
    brokers: () => bootstrapServers,
    authentication: { auth: 'none' },
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const printed: string[] = [];
  const names = CONSUMERS[suite].map(({ name }) => name);
  const cloud = await openStacks(servers, [CONSUMERS_STACK], { consumers: names });
  const consumer = (name: string): DeployedConsumer => {
    const found = cloud.deployed.consumers.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no consumer ${name} is deployed`);
    return found;
  };
  const set = (name: string, { environment, ...others }: FunctionSettings) => {
    const reaching = {
      COUNTERPART_URL: counterpart.url,
      CREDIT_CHECK_URL: `${counterpart.url}/credit`,
      // Deployed with those of the run's cloud.
      LOCKSTEP_BOOTSTRAP_SERVERS: bootstrapServers,
    };
    const changes = { environment: { ...reaching, ...environment }, ...others };
    return setFunction(servers.endpoint, consumer(name).function, changes);
  };
  await Promise.all(names.map((name) => set(name, settings[name] ?? {})));
  const running = await runConsumers(cloud, {
    ...options,
    onLog: (name, line) => printed.push(`${name}: ${line}`),
  });
  await admin.connect();

  const letters = async (name: string): Promise<Letter[]> => {
    const { topicName: topic = '' } = consumer(name).deadLetterTopic ?? {};
    const found: Letter[] = [];
    // Kafka names partitions in any order.
    const ends = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition);
    for (const { partition, high } of ends) {
      for (let from = 0; from < Number(high); ) {
        const range = { from, to: Number(high) - 1 };
        const slice = await reader.readRange({ topic, partition }, range, Date.now() + 20_000);
        for (const { offset, record } of slice.records) {
          const header = Object.fromEntries(record.headers.map(({ name, value }) => [name, value.toString()]));
          found.push({ ...record, partition, offset, header });
        }
        from = slice.next;
      }
    }
    return found;
  };
  const lag = async (name: string): Promise<number> => {
    const { topic, consumerGroupId: groupId } = consumer(name).mapping;
    const [ends, [committed]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const offsets = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.reduce((sum, { partition, high }) => sum + Number(high) - Math.max(0, offsets.get(partition) ?? 0), 0);
  };
  return {
    cloud,
    kafka,
    counterpart,
    printed,
    running,
    consumer,
    letters,
    lag,
    catchUp: () => running.catchUp(),
    set,
    stop: async () => {
      await running.stop();
      await reader.disconnect();
      await admin.disconnect();
      await counterpart.stop();
    },
  };
}
