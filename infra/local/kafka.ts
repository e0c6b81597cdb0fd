import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { logLevel } from 'kafkajs';
import { kafkaJsClient } from '../../shared/adapters/kafka/kafkajs-client.ts';
import { freePorts } from './free-ports.ts';
import { type Guarded, spawnGuarded } from './guard.ts';
import { kafkaServerProperties } from './kafka-server-properties.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { createRunFolder } from './local-folder.ts';
import { mavenJars } from './maven-jars.ts';
import { requireJava } from './requirements.ts';
import { SHORT_LIVED_JAVA } from './short-lived-java.ts';
import { startWithOtherPorts, untilReady } from './until-ready.ts';

const run = promisify(execFile);

const READY_WITHIN_MS = 60_000;
const LOG_CONFIGURATION = join(import.meta.dirname, 'kafka-log4j2.yaml');

export interface KafkaOptions {
  /** Where its data and log go. @default a run folder of its own */
  readonly runFolder?: string;
  /** A broker to use instead of starting one, as `host:port,host:port`. @default KAFKA_BOOTSTRAP_SERVERS, else none */
  readonly bootstrapServers?: string;
  /**
   * Ports of the broker and of its controller, for callers that must know them before the start. @default free ports, others if
   * they are taken meanwhile
   */
  readonly ports?: KafkaPorts;
  /**
   * For a broker that runs for minutes and has little to do: it starts with little more than half of the processor time.
   * @default false
   */
  readonly shortLived?: boolean;
  /** Called when a broker that takes requests ends, and nobody has stopped it; with its last words. */
  readonly onDeath?: (lastWords: string) => void;
}

export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/** A Kafka broker, started by us or existing before. */
export interface LocalKafka {
  readonly bootstrapServers: string;
  /** Class path of Kafka's own tools; absent for a broker that we did not start. */
  readonly toolsClassPath?: string;
  /** Stops the broker for good. Does nothing to a broker that we did not start. */
  stop(): Promise<void>;
  /** Ends the broker and keeps its data: cleanly, or with SIGKILL. @throws for a broker that we did not start */
  stopBroker(how?: 'gracefully' | 'killed'): Promise<void>;
  /** Starts it again on the same port and data; returns when it takes requests. */
  startBroker(): Promise<void>;
}

/**
 * Starts Apache Kafka: one node, KRaft, plaintext on 127.0.0.1. The first call on a machine downloads it.
 * Returns when the broker takes requests.
 *
 * @throws LocalCloudError if Java or Maven is missing, or the broker does not come up; the text has its last words
 */
export async function startKafka(options: KafkaOptions = {}): Promise<LocalKafka> {
  const existing = options.bootstrapServers ?? process.env['KAFKA_BOOTSTRAP_SERVERS'];
  if (existing) return existingBroker(existing);

  const command = await requireJava();
  const jars = await mavenJars('kafka', join(import.meta.dirname, 'pom.xml'));
  const folder = options.runFolder ?? (await createRunFolder());
  const start = async (ports: KafkaPorts): Promise<LocalKafka> => {
    const java = { command, classPath: join(jars, '*'), flags: options.shortLived ? SHORT_LIVED_JAVA : [] };
    const broker = await formatBroker(java, join(folder, `kafka-${ports.broker}`), ports, options.onDeath);
    await broker.startBroker().catch(async (error) => {
      await broker.stop();
      throw error;
    });
    return broker;
  };
  return options.ports ? start(options.ports) : startWithOtherPorts(async () => start(await freeKafkaPorts()));
}

/** Two ports that are free now. */
export async function freeKafkaPorts(): Promise<KafkaPorts> {
  const [broker = 0, controller = 0] = await freePorts(2);
  return { broker, controller };
}

async function existingBroker(bootstrapServers: string): Promise<LocalKafka> {
  const notOurs = async () => {
    throw new LocalCloudError(`The broker at ${bootstrapServers} is not ours to stop or start.`);
  };
  if (!(await takesRequests(bootstrapServers))) {
    throw new LocalCloudError(
      `No Kafka broker answers at ${bootstrapServers} (--kafka or KAFKA_BOOTSTRAP_SERVERS). Start it, or leave this out to have one started.`,
    );
  }
  return { bootstrapServers, stop: async () => {}, stopBroker: notOurs, startBroker: notOurs };
}

interface BrokerJava {
  readonly command: string;
  readonly classPath: string;
  readonly flags: readonly string[];
}

async function formatBroker(
  { command, classPath, flags }: BrokerJava,
  folder: string,
  { broker: port, controller: controllerPort }: KafkaPorts,
  onDeath: KafkaOptions['onDeath'],
): Promise<LocalKafka> {
  const bootstrapServers = `127.0.0.1:${port}`;
  const properties = `${folder}.properties`;
  const logFile = `${folder}.log`;
  writeFileSync(properties, kafkaServerProperties({ port, controllerPort, dataFolder: folder }));
  const clusterId = randomBytes(16).toString('base64url');
  // In one word: an id may begin with a dash.
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties];
  const sharedClasses = await withSharedClasses(dirname(classPath), async (option) => {
    await run(command, ['-Xmx128m', ...SHORT_LIVED_JAVA, ...option, '-cp', classPath, ...format]);
  });

  let server: Guarded | undefined;
  const stop = async () => {
    const stopping = server;
    server = undefined;
    await stopping?.stop();
  };
  return {
    bootstrapServers,
    toolsClassPath: classPath,
    stop,
    stopBroker: async (how = 'gracefully') => {
      if (how === 'killed') server?.signal('SIGKILL');
      await stop();
    },
    startBroker: async () => {
      const settings = ['-Xmx512m', ...sharedClasses, ...flags, `-Dlog4j2.configurationFile=${LOG_CONFIGURATION}`];
      const starting = spawnGuarded(command, [...settings, '-cp', classPath, 'kafka.Kafka', properties], {
        output: logFile,
      });
      server = starting;
      await untilReady('Kafka', starting, () => takesRequests(bootstrapServers, 'groups'), READY_WITHIN_MS);
      void starting.exited.then(() => {
        if (server === starting) onDeath?.(starting.lastLines(3));
      });
    },
  };
}

/**
 * Java reads Kafka's classes from an archive, checked and laid out: that saves a quarter of the processor time of each start. The
 * first run makes the archive. https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
 *
 * @param folder - where the archive is
 * @param runJava - runs a short Java program that loads most of these classes
 * @returns options for later programs
 */
async function withSharedClasses(
  folder: string,
  runJava: (options: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const archive = join(folder, 'classes.jsa');
  const options = ['-XX:+IgnoreUnrecognizedVMOptions', `-XX:SharedArchiveFile=${archive}`];
  if (existsSync(archive)) await runJava(options);
  else {
    const draft = `${archive}.${randomBytes(6).toString('hex')}`;
    await runJava(['-XX:+IgnoreUnrecognizedVMOptions', `-XX:ArchiveClassesAtExit=${draft}`]);
    // A Java that makes no archive is slower, and no worse.
    await rename(draft, archive).catch(() => {});
  }
  return options;
}

/**
 * Makes a request that only a fully started broker answers: to validate a new topic. With `groups`, it also asks about a consumer
 * group. The first such request makes the topic of offsets, for which the first group would wait otherwise.
 */
async function takesRequests(bootstrapServers: string, also?: 'groups'): Promise<boolean> {
  const kafka = kafkaJsClient({
    clientId: 'lockstep-local',
    brokers: bootstrapServers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const topic = `ready-${randomBytes(6).toString('hex')}`;
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic, numPartitions: 1 }] });
    if (also === 'groups') await admin.describeGroups(['ready']);
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
