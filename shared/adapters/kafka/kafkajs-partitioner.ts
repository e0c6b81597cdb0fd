import { type ICustomPartitioner, Partitioners } from 'kafkajs';

/**
 * A record that names its partition goes there. Where the topic does not have it, partitions are folded into what there is, so
 * that what was in one partition stays in one, in order. Other records go by key, as Java's clients send them.
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
