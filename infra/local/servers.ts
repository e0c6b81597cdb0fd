import type { ServersDescription } from './cloud-description.ts';
import { createCluster } from './cluster.ts';
import { bootstrap } from './deploy.ts';
import { freeKafkaPorts, type LocalKafka, startKafka } from './kafka.ts';
import { createRunFolder } from './local-folder.ts';
import { startMiniStack } from './ministack.ts';
import { startWithOtherPorts } from './until-ready.ts';

export interface ServersOptions {
  /** Whether the broker is for minutes, and little to do. @default false */
  readonly shortLived?: boolean;
  /** File of the `cdk` command. @default the repository's */
  readonly cdk?: string;
  /** A broker to use instead of starting one, as `host:port,host:port`. @default KAFKA_BOOTSTRAP_SERVERS, else none */
  readonly bootstrapServers?: string;
  /** Called when a server ends once it was ready, and nobody has stopped it. */
  readonly onDeath?: (server: 'Kafka' | 'MiniStack', lastWords: string) => void;
  /**
   * Called when the addresses and the cluster's ARN are known: Kafka may still be starting. Called again if the servers start again
   * with other ports.
   */
  readonly onCluster?: (description: ServersDescription) => void;
  /** Told of each step, in a few words. */
  readonly onProgress?: (line: string) => void;
}

/** Kafka and AWS's APIs, ready for `cdk deploy`. */
export interface Servers {
  readonly description: ServersDescription;
  readonly kafka: LocalKafka;
  stop(): Promise<void>;
}

/**
 * Starts Kafka and MiniStack side by side, makes the cluster and runs `cdk bootstrap`.
 *
 * @throws LocalCloudError if something is missing or does not come up; nothing is left running
 */
export async function startServers({
  onProgress = () => {},
  shortLived = false,
  bootstrapServers: existing = process.env['KAFKA_BOOTSTRAP_SERVERS'],
  cdk,
  onDeath = () => {},
  onCluster = () => {},
}: ServersOptions = {}): Promise<Servers> {
  const runFolder = await createRunFolder();
  return startWithOtherPorts(async () => {
    const ports = await freeKafkaPorts();
    const kafkaBootstrapServers = existing || `127.0.0.1:${ports.broker}`;

    const starting = {
      kafka: startKafka({
        runFolder,
        ports,
        shortLived,
        onDeath: (words) => onDeath('Kafka', words),
        ...(existing && { bootstrapServers: existing }),
      }).then((kafka) => {
        onProgress(`Kafka takes requests at ${kafka.bootstrapServers}`);
        return kafka;
      }),
      ministack: startMiniStack({
        runFolder,
        kafkaBootstrapServers,
        onDeath: (words) => onDeath('MiniStack', words),
      }).then(async (ministack) => {
        onProgress(`MiniStack serves AWS's APIs at ${ministack.endpoint.url}`);
        return ministack;
      }),
    };
    const stop = async () => {
      const started = await Promise.allSettled([starting.kafka, starting.ministack]);
      await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
    };
    try {
      // Bootstrapping does not need Kafka, and is done by the time that Kafka is up.
      const prepared = starting.ministack.then(async ({ endpoint }) => {
        const clusterArn = await createCluster(endpoint);
        onCluster({ endpoint, bootstrapServers: kafkaBootstrapServers, clusterArn, runFolder });
        await bootstrap({ endpoint, runFolder, ...(cdk !== undefined && { cdk }) });
        onProgress('cdk bootstrap is done');
        return { endpoint, clusterArn };
      });
      const [kafka, { endpoint, clusterArn }] = await Promise.all([starting.kafka, prepared]);
      const { bootstrapServers, toolsClassPath } = kafka;
      const tools = toolsClassPath === undefined ? {} : { toolsClassPath };
      return { description: { endpoint, bootstrapServers, ...tools, clusterArn, runFolder }, kafka, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}
