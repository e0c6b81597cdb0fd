/** Partitions of each topic. */
export const PARTITIONS = 6;

/** The consumers that are deployed: one whose handler does nothing, one that writes an item for each record. */
export const CONSUMERS = [
  { name: 'Idle', topic: 'bench-idle', hasEffects: false },
  { name: 'Effects', topic: 'bench-effects', hasEffects: true },
] as const;
