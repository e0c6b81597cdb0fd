import { type ICustomPartitioner, Partitioners } from 'kafkajs';

/**
 * A record that names its partition goes there, or to that number modulo the topic's partitions. So records of one partition
 * stay in one partition, in order. Other records go by key, as with Java's clients.
 */
export const foldingPartitioner: ICustomPartitioner = () => {
  const byKey = Partitioners.DefaultPartitioner();
  return (given) => {
    const { partition } = given.message;
    if (partition === undefined || partition === null) return byKey(given);
    const ids = given.partitionMetadata.map(({ partitionId }) => partitionId).sort((a, b) => a - b);
    return ids.includes(partition) ? partition : (ids[partition % ids.length] ?? 0);
  };
};
