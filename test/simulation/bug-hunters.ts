import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Hunt } from './bug-hunter.ts';
import type { BugName } from './bugs.ts';

/** Threads that look for deliberate bugs, one after the other: a thread loads its packages once for all of them. */
export class BugHunters {
  readonly #all = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: ((hunter: Worker) => void)[] = [];

  constructor(threads: number) {
    for (let started = 0; started < threads; started++) this.#idle.push(this.#start());
  }

  /** @throws what the thread threw: the bug does not fit, or the simulation itself is broken */
  async hunt(bug: BugName): Promise<Hunt> {
    const hunter = this.#idle.pop() ?? (await new Promise<Worker>((resolve) => this.#waiting.push(resolve)));
    hunter.postMessage(bug);
    try {
      const [hunt] = await once(hunter, 'message');
      this.#release(hunter);
      return hunt;
    } catch (error) {
      // An error ends a thread.
      this.#all.delete(hunter);
      this.#release(this.#start());
      throw error;
    }
  }

  async end(): Promise<void> {
    await Promise.all([...this.#all].map((hunter) => hunter.terminate()));
  }

  #start(): Worker {
    const hunter = new Worker(new URL('./bug-hunter.ts', import.meta.url), { execArgv: [] });
    this.#all.add(hunter);
    return hunter;
  }

  #release(hunter: Worker): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(hunter);
    else next(hunter);
  }
}
