import { setTimeout as delay } from 'node:timers/promises';
import kafkajs from 'kafkajs';

// The errors are no named exports to Node: kafkajs is CommonJS and spreads them into its exports.
const { KafkaJSError } = kafkajs;

const AGAIN_AFTER_MS = 200;
/** How long a start waits for a broker that is starting itself. */
export const PATIENCE_MS = 30_000;

/**
 * Asks the broker until it answers. What kafkajs calls retriable, such as a coordinator that is still loading, it retries
 * for producers and consumers but not for the admin client.
 *
 * @param isOver - whether nobody wants the answer any more
 * @param patienceMs - from then on errors are thrown
 * @returns `undefined` once it is over
 * @throws at once what does not pass by waiting
 */
export async function untilAnswered<T>(
  ask: () => Promise<T>,
  { isOver = () => false, patienceMs = Number.POSITIVE_INFINITY }: { isOver?: () => boolean; patienceMs?: number },
): Promise<T | undefined> {
  const deadlineMs = performance.now() + patienceMs;
  while (!isOver()) {
    try {
      return await ask();
    } catch (error) {
      const isPassing =
        error instanceof KafkaJSError && (error.retriable || error.name === 'KafkaJSNumberOfRetriesExceeded');
      if (!isPassing || performance.now() > deadlineMs) throw error;
      await delay(AGAIN_AFTER_MS);
    }
  }
  return undefined;
}
