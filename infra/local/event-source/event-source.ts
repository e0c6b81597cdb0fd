import { type Admin, type Kafka, logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';
import type { Batch, ResendReading } from './decide.ts';
import type { EncodedRecord } from './encode-record.ts';
import type { MetricsPort } from './esm-metrics.ts';
import type { EventSourceStats } from './event-source-stats.ts';
import type { FailureDestination } from './failure-destination.ts';
import { kafkaDestination } from './failure-destination.ts';
import type { Invocation, Invoker } from './invoker.ts';
import type { Mapping } from './mapping.ts';
import { type MappingSource, mappingSource } from './mapping-source.ts';
import { troubles } from './troubles.ts';

export interface EventSourceOptions {
  readonly mappings: readonly Mapping[];
  /** `host:port,host:port`, as the functions will use it too. */
  readonly bootstrapServers: string;
  readonly invoker: Invoker;
  /** @default metrics go nowhere */
  readonly metrics?: MetricsPort;
  /** Opens the queue of a mapping with an SQS destination. @default such a mapping is refused */
  readonly openQueue?: (mapping: Mapping, queueArn: string) => Promise<FailureDestination>;
  /** Whether a mapping is enabled; asked every `pollEnabledMs`. @default always */
  readonly isEnabled?: (uuid: string) => Promise<boolean>;
  /** Called when the pollers of a mapping have started, and when they have stopped and their batches are committed. */
  readonly onPolling?: (uuid: string, isPolling: boolean) => Promise<void>;
  /** @default 1000 */
  readonly pollEnabledMs?: number;
  /** @default 1000 */
  readonly metricsEveryMs?: number;
  /** Which records come back after a partial answer. @default 'lowest' */
  readonly reading?: ResendReading;
  /** Pause before records are sent again. @default 100 */
  readonly retryDelayMs?: number;
  /** Called with each invocation's end, its log included where the invoker has one. */
  readonly onInvocation?: (mapping: Mapping, invocation: Invocation) => void;
  /** A fault: an event goes to two invocations at once, and the first answer counts. @default never */
  readonly deliverTwice?: (batch: Batch<EncodedRecord>) => boolean;
  /** Faults, one line each. A fault that lasts is logged once. @default lines of standard error */
  readonly log?: (line: string) => void;
}

/** Lambda's Kafka poller, on a real broker. */
export interface EventSource {
  /** Starts one more poller of a mapping: the group rebalances. @param uuid - @default the first mapping */
  addPoller(uuid?: string): Promise<void>;
  /** Stops a poller. `drained` waits for its batches in flight; with `abruptly` they will be delivered again. */
  removePoller(uuid?: string, how?: 'drained' | 'abruptly'): Promise<void>;
  pollers(uuid?: string): number;
  stats(uuid?: string): EventSourceStats;
  /** Quick: batches in flight will be delivered again. */
  stop(): Promise<void>;
}

/**
 * Joins each mapping's consumer group and invokes its function, as Lambda does; returns once every enabled mapping polls.
 *
 * @throws if the broker does not answer, a topic does not exist, or a mapping is not valid; nothing is left running
 */
export async function startEventSource(options: EventSourceOptions): Promise<EventSource> {
  const kafka = kafkaClient(options);
  const admin = kafka.admin();
  const sources: MappingSource[] = [];
  const timers: NodeJS.Timeout[] = [];
  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(
      sources.map(async (source) => {
        await source.close();
        // Whoever is told may be gone before us.
        await options.onPolling?.(source.mapping.uuid, false).catch(() => {});
      }),
    );
    await admin.disconnect();
  };
  try {
    await admin.connect();
    for (const mapping of options.mappings) sources.push(await openMapping(mapping, kafka, admin, options));
    await Promise.all(sources.map((source) => followSwitch(source, options, timers)));
  } catch (error) {
    await stop();
    throw error;
  }
  repeat(timers, options.metricsEveryMs ?? 1_000, () => Promise.all(sources.map((source) => source.flushMetrics())));

  const find = (uuid: string | undefined): MappingSource => {
    const source = uuid === undefined ? sources[0] : sources.find(({ mapping }) => mapping.uuid === uuid);
    if (!source) throw new Error(`No mapping ${uuid ?? ''} here: ${sources.map(({ mapping }) => mapping.uuid)}.`);
    return source;
  };
  return {
    addPoller: (uuid) => find(uuid).addPoller(),
    removePoller: (uuid, how) => find(uuid).removePoller(how),
    pollers: (uuid) => find(uuid).pollers(),
    stats: (uuid) => find(uuid).stats(),
    stop,
  };
}

async function openMapping(
  mapping: Mapping,
  kafka: Kafka,
  admin: Admin,
  options: EventSourceOptions,
): Promise<MappingSource> {
  const topics = await admin.listTopics();
  const missing = [mapping.topic, ...(mapping.onFailure?.type === 'kafka' ? [mapping.onFailure.topic] : [])].find(
    (topic) => !topics.includes(topic),
  );
  if (missing !== undefined) {
    throw new Error(
      `Topic ${missing} of mapping ${mapping.uuid} does not exist at ${options.bootstrapServers}. Create it first.`,
    );
  }
  return mappingSource({
    kafka: (onError) => kafkaClient(options, onError),
    admin,
    mapping,
    bootstrapServers: options.bootstrapServers,
    invoker: options.invoker,
    metrics: options.metrics ?? { put: () => {} },
    destination: await openDestination(mapping, kafka, options),
    reading: options.reading ?? 'lowest',
    retryDelayMs: options.retryDelayMs ?? 100,
    onInvocation: options.onInvocation ?? (() => {}),
    deliverTwice: options.deliverTwice ?? (() => false),
    log: logOf(options),
  });
}

async function openDestination(
  mapping: Mapping,
  kafka: Kafka,
  options: EventSourceOptions,
): Promise<FailureDestination | undefined> {
  const { onFailure, topic, uuid } = mapping;
  if (!onFailure) return undefined;
  if (onFailure.type === 'kafka') {
    // Lambda refuses this, too, because it would be a loop.
    if (onFailure.topic === topic) throw new Error(`Mapping ${uuid}: the destination is the source topic ${topic}.`);
    return kafkaDestination(kafka, onFailure.topic);
  }
  if (!options.openQueue) throw new Error(`Mapping ${uuid} has an SQS destination: \`openQueue\` is needed.`);
  return options.openQueue(mapping, onFailure.queueArn);
}

/** Enables a mapping if it is enabled now, then follows its state. */
async function followSwitch(
  source: MappingSource,
  options: EventSourceOptions,
  timers: NodeJS.Timeout[],
): Promise<void> {
  const { isEnabled = async () => true, pollEnabledMs = 1_000 } = options;
  const { topic, uuid } = source.mapping;
  const place = `mapping ${uuid} of ${topic}`;
  const trouble = troubles(logOf(options));
  let isPolling: boolean | undefined;
  const follow = async () => {
    const wanted = await isEnabled(uuid);
    await source.setEnabled(wanted);
    if (wanted !== isPolling) await options.onPolling?.(uuid, wanted);
    isPolling = wanted;
  };
  await follow();
  repeat(timers, pollEnabledMs, async () => {
    try {
      await follow();
      trouble.over(place);
    } catch (error) {
      trouble.of(place, 'does not follow its switch; it is tried again', error);
    }
  });
}

/** Runs `work` periodically, never twice at a time. Work that fails is tried again next time. */
function repeat(timers: NodeJS.Timeout[], everyMs: number, work: () => Promise<unknown>): void {
  let isBusy = false;
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    await work().catch(() => {});
    isBusy = false;
  }, everyMs);
  timers.push(timer);
}

function logOf({ log = (line) => void process.stderr.write(`${line}\n`) }: EventSourceOptions): (line: string) => void {
  return log;
}

/** Errors are logged in our own lines: kafkajs logs each try. */
function kafkaClient({ bootstrapServers }: EventSourceOptions, onError: () => void = () => {}): Kafka {
  return kafkaJsClient({
    clientId: 'lambda-poller',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.ERROR,
    logCreator: () => onError,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
  });
}
