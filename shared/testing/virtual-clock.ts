import type { Clock } from '../ports/clock.ts';
import type { EpochMs } from '../record/units.ts';

interface Timer {
  readonly at: EpochMs;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that moves when told to: everything that waits for it wakes in order. */
export class VirtualClock implements Clock {
  #now: EpochMs;
  #count = 0;
  #holds = 0;
  /** By time and, for equal times, by who came first; the earliest last. */
  readonly #timers: Timer[] = [];

  constructor(now: EpochMs = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): EpochMs {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#insert({ at: this.#now + Math.max(0, ms), order: this.#count++, fire: wake });
      const remove = () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
        resolve();
      };
      signal?.addEventListener('abort', remove, { once: true });
      function wake() {
        signal?.removeEventListener('abort', remove);
        resolve();
      }
    });
  }

  /** Moves time on, waking sleepers at their moments, each given the chance to finish what it does without waiting. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#timers.at(-1); next !== undefined && next.at <= until; next = this.#timers.at(-1)) {
      this.#wake(next);
      await settled();
    }
    this.#now = until;
  }

  /** Moves time on as far as `work` needs it. Time stands still while {@link hold} is in force: real work is going on. */
  async runUntilSettled<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const mark = () => {
      done = true;
    };
    work.then(mark, mark);
    for (;;) {
      await settled();
      if (done) return work;
      const next = this.#timers.at(-1);
      if (this.#holds === 0 && next !== undefined) this.#wake(next);
    }
  }

  /** Stops time until the function that it returns is called. */
  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
    };
  }

  #wake(timer: Timer): void {
    this.#timers.pop();
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }

  #insert(timer: Timer): Timer {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.at ?? 0) > timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return timer;
  }
}

/** Resolves once every promise that could go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
