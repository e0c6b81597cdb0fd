import { partitionName } from '../../../shared/record/item-identifier.ts';

/** What a poller was given at one joining of the group, and how far it got with it. */
export interface Assignment {
  readonly partitions: readonly number[];
  readonly names: ReadonlySet<string>;
  /** Committed offset of each partition, as far as it is known. */
  readonly committed: Map<string, number>;
  /** Where the next fetch of each partition starts. */
  readonly expected: Map<string, number>;
}

export function assignment(topic: string, partitions: readonly number[]): Assignment {
  const names = new Set(partitions.map((partition) => partitionName({ topic, partition })));
  return { partitions, names, committed: new Map(), expected: new Map() };
}
