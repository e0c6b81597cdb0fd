import { partitionName } from '../../../shared/record/item-identifier.ts';

/** What a poller was given at one joining of the group, and how far it got with it. */
export interface Assignment {
  readonly partitions: readonly number[];
  readonly names: ReadonlySet<string>;
  /** Committed offset of each partition, as far as it is known. */
  readonly committed: Map<string, number>;
  /** Where each partition is read next. Without an entry it is not read: where it stands is still being asked for. */
  readonly positions: Map<number, number>;
}

export function assignment(topic: string, partitions: readonly number[]): Assignment {
  const names = new Set(partitions.map((partition) => partitionName({ topic, partition })));
  return { partitions, names, committed: new Map(), positions: new Map() };
}
