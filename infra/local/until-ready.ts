import { setTimeout as delay } from 'node:timers/promises';
import type { Guarded } from './guard.ts';
import { LocalCloudError } from './local-cloud-error.ts';

/** The server ended while it was starting: as when somebody took its port. Worth another try with other ports. */
export class ServerEnded extends LocalCloudError {}

/** Asked this often whether a starting server is ready. */
const POLL_MS = 100;

/**
 * Waits for a starting server.
 *
 * @param isReady - asks the server itself; never rejects
 * @throws ServerEnded if it ended; LocalCloudError if it is not ready in time; both with its last words
 */
export async function untilReady(
  name: string,
  server: Guarded,
  isReady: () => Promise<boolean>,
  withinMs: number,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  while (!(await isReady())) {
    if (ended) throw new ServerEnded(`${name} ended while starting: ${server.lastLines(5)}`);
    if (Date.now() > deadline) {
      throw new LocalCloudError(`${name} was not ready within ${withinMs / 1_000} s: ${server.lastLines(5)}`);
    }
    await delay(POLL_MS);
  }
}

/** A port that was free may be taken before the server binds it: then again, with others. */
const STARTS = 3;

/** Starts a server, again if it ends while starting. @param start - chooses the ports */
export async function startWithOtherPorts<S>(start: () => Promise<S>): Promise<S> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === STARTS || !(error instanceof ServerEnded)) throw error;
    }
  }
}
