import { setTimeout as pause } from 'node:timers/promises';

/** What a request to a store in memory waits for before it takes effect. */
export function latency(ms: number): () => Promise<void> | undefined {
  return () => (ms === 0 ? undefined : pause(ms));
}
