import { Kafka, type KafkaConfig } from 'kafkajs';
import type { Cluster, ClusterOptions, RequestQueue } from 'kafkajs/src/cluster/index.js';

/** The symbol under which a client of kafkajs 2.2.4 keeps how it makes its view of a cluster. */
const CREATE_CLUSTER = 'private:Kafka:createCluster';

/** What an admin client knows of a topic's partitions: without an age kafkajs never asks again, and never sees those that are added. */
export const METADATA_MAX_AGE_MS = 5_000;

/**
 * A client of kafkajs that sleeps while nothing is to be done, and whose admin clients see partitions that are added. Other clients
 * of the process stay as they are.
 */
export function kafkaJsClient(config: KafkaConfig): Kafka {
  const kafka = new Kafka(config);
  const { symbol, create } = clusterFactory(kafka);
  Reflect.set(kafka, symbol, (options: ClusterOptions) => {
    const cluster = create({ metadataMaxAge: METADATA_MAX_AGE_MS, ...options });
    const builder = cluster.connectionPoolBuilder;
    const { build } = builder;
    builder.build = async (broker) => {
      const connections = await build(broker);
      for (const { requestQueue } of connections.pool) sleepWhileEmpty(requestQueue);
      return connections;
    };
    return cluster;
  });
  return kafka;
}

/** kafkajs's own view of a cluster: which node leads what, and a connection to each. */
export function kafkaJsCluster(kafka: Kafka, options: ClusterOptions): Cluster {
  return clusterFactory(kafka).create(options);
}

/**
 * Once a request was answered, kafkajs 2.2.4 looks after waiting requests again and again: with none waiting it computes the
 * delay from a date that was never set, gives setTimeout a negative number, and so wakes a thousand times a second as long as
 * the connection stands; Node 24 warns of it (TimeoutNegativeWarning). With none waiting there is nothing to look after: what
 * is pushed later asks for itself. https://github.com/tulios/kafkajs/issues/1751
 */
function sleepWhileEmpty(queue: RequestQueue): void {
  const scheduleCheck = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) scheduleCheck();
  };
}

function clusterFactory(kafka: Kafka): {
  readonly symbol: symbol;
  readonly create: (options: ClusterOptions) => Cluster;
} {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER);
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  if (symbol === undefined || typeof create !== 'function') throw new TypeError('expected kafkajs 2.2.4, got another');
  return { symbol, create: (options) => create(options) };
}
