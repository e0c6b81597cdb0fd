// As modules give them: a test's fake timers replace the global ones, and would never move us on.
import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers';
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
  /** Real time, while time is held. */
  #heldSince: number | undefined;
  #waitedMs = 0;
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

  /**
   * Moves time on as far as `work` needs it. While {@link hold} is in force real work is going on, and time stands still: until the
   * work shows no sign of life, then time goes on, so that what hangs meets its deadline as in production.
   *
   * @param isIdle - whether nothing is under way that could wake what is waited for
   */
  async runUntilSettled<T>(work: Promise<T>, isIdle: () => boolean = () => true): Promise<T> {
    let done = false;
    const mark = () => {
      done = true;
    };
    work.then(mark, mark);
    while (true) {
      await settled();
      if (done) return work;
      const next = this.#timers.at(-1);
      if (next === undefined) await pause(1);
      else if (this.#holds > 0 ? await this.#isStuck(isIdle) : await this.#mayPass(isIdle)) this.#wake(next);
    }
  }

  /** Stops time until the function that it returns is called. */
  hold(): () => void {
    this.#holds++;
    this.#heldSince ??= performance.now();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      // Somebody ended: those who still work get their time anew.
      this.#heldSince = this.#holds === 0 ? undefined : performance.now();
    };
  }

  /** Whether time may pass though nobody holds it: what a decoder waits for gets some real time, in all. */
  async #mayPass(isIdle: () => boolean): Promise<boolean> {
    if (this.#waitedMs > WORKING_MS || isIdle()) return true;
    const before = performance.now();
    await pause(1);
    this.#waitedMs += performance.now() - before;
    return false;
  }

  /** Whether what holds the time has had enough of it: little where nothing is under way that could wake it. */
  async #isStuck(isIdle: () => boolean): Promise<boolean> {
    for (let turn = 0; turn < 5; turn++) await settled();
    if (this.#holds === 0) return false;
    const heldMs = performance.now() - (this.#heldSince ?? 0);
    if (heldMs > (isIdle() ? IDLE_MS : WORKING_MS)) return true;
    await pause(1);
    return false;
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

/** Real milliseconds after which a handler counts as one that hangs: while nothing, and while something is under way. */
const IDLE_MS = 300;
const WORKING_MS = 2_000;

/** Waits real time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves once every promise that could go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
