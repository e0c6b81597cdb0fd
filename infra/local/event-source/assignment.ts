import { partitionName } from '../../../shared/record/item-identifier.ts';

/** The partitions of a poller after one join of the group, and its positions in them. */
export interface Assignment {
  readonly partitions: readonly number[];
  readonly names: ReadonlySet<string>;
  /** Committed offset of each partition, as far as it is known. */
  readonly committed: Map<string, number>;
  /** The next offset to read of each partition. A partition without an entry is not read: its position is not known yet. */
  readonly positions: Map<number, number>;
}

export function assignment(topic: string, partitions: readonly number[]): Assignment {
  const names = new Set(partitions.map((partition) => partitionName({ topic, partition })));
  return { partitions, names, committed: new Map(), positions: new Map() };
}
