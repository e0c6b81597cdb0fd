import { setTimeout as pause } from 'node:timers/promises';

/** The wait of a request to a store in memory before it takes effect. */
export function latency(ms: number): () => Promise<void> | undefined {
  return () => (ms === 0 ? undefined : pause(ms));
}
