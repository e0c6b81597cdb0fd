import { Kafka, type KafkaConfig } from 'kafkajs';
import type { Cluster, ClusterOptions, RequestQueue } from 'kafkajs/src/cluster/index.js';

/** The symbol under which a client of kafkajs 2.2.4 keeps the function that creates its cluster. */
const CREATE_CLUSTER = 'private:Kafka:createCluster';

/**
 * The age after which an admin client reads a topic's partitions again. Without it kafkajs never reads them again, and does not
 * see new partitions.
 */
export const METADATA_MAX_AGE_MS = 5_000;

/**
 * A kafkajs client that does not wake up while it has nothing to do, and whose admin clients see new partitions. Other kafkajs
 * clients of the process are not changed.
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

/** kafkajs's own cluster object: which node leads which partition, and a connection to each. */
export function kafkaJsCluster(kafka: Kafka, options: ClusterOptions): Cluster {
  return clusterFactory(kafka).create(options);
}

/**
 * After an answer, kafkajs 2.2.4 checks waiting requests again and again. With no waiting request it computes the delay from an
 * unset date and gives setTimeout a negative number. So it wakes a thousand times a second while the connection is open, and
 * Node 24 warns of it (TimeoutNegativeWarning). With no waiting request there is nothing to check: a later request starts the
 * check itself. https://github.com/tulios/kafkajs/issues/1751
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
