// Imported from modules: fake timers of a test replace the global functions, and time here would stop.
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';
import type { Clock } from '../ports/clock.ts';
import type { EpochMs } from '../record/units.ts';
import { drained } from './scheduler.ts';

interface Timer {
  readonly at: EpochMs;
  readonly order: number;
  readonly fire: () => void;
}

/** The real work that runs. */
export interface RealWork {
  /** None runs: a handler that hangs then hangs for good. */
  readonly isIdle: boolean;
  /** None runs that was started since time was held last. */
  readonly isCalm: boolean;
  /** Called when nobody holds the time any more. */
  rested(): void;
}

const NO_WORK: RealWork = { isIdle: true, isCalm: true, rested: () => undefined };

/** Time that the test moves. Everything that waits for it wakes in order. */
export class VirtualClock implements Clock {
  #now: EpochMs;
  #count = 0;
  #holds = 0;
  /** Real time since when the same work has run. */
  #busySince = performance.now();
  /** Turns of the event loop in a row in which no work ran although time was held. */
  #quietTurns = 0;
  #real = NO_WORK;
  /** Ordered by time; for equal times by arrival. The earliest is the last one. */
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

  /** Moves time on and wakes sleepers at their times. Each may finish what it can do without waiting. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await drained();
    for (let next = this.#timers.at(-1); next !== undefined && next.at <= until; next = this.#timers.at(-1)) {
      this.#wake(next);
      await drained();
    }
    this.#now = until;
  }

  /**
   * Moves time on as far as `work` needs it. While {@link hold} is in force or real work runs, time stands still, but not
   * longer than allowed: then time goes on, so that a handler that hangs meets its deadline as in production.
   *
   * @param patienceMs - real milliseconds that one piece of real work may take
   */
  async runUntilSettled<T>(
    work: Promise<T>,
    real: RealWork = NO_WORK,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    let done = false;
    const settle = () => {
      done = true;
    };
    work.then(settle, settle);
    this.#begin();
    this.#real = real;
    while (true) {
      await drained();
      if (done) return work;
      const next = this.#timers.at(-1);
      if (next !== undefined && this.#mayPass(patienceMs)) this.#wake(next);
      else await pause(1);
    }
  }

  /** Stops time until the returned function is called. */
  hold(): () => void {
    this.#holds++;
    this.#begin();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      this.#begin();
      if (this.#holds === 0) this.#real.rested();
    };
  }

  /** Work began or ended: the others get their full time again. */
  #begin(): void {
    this.#busySince = performance.now();
    this.#quietTurns = 0;
  }

  #mayPass(patienceMs: number): boolean {
    if (performance.now() - this.#busySince > patienceMs) return true;
    if (this.#holds === 0) return this.#real.isCalm;
    this.#quietTurns = this.#real.isIdle ? this.#quietTurns + 1 : 0;
    return this.#quietTurns > QUIET_TURNS;
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

/**
 * Turns of the event loop after which a handler that waits for nothing counts as hanging. The result of a worker thread or a
 * compiled module comes without notice.
 */
const QUIET_TURNS = 20;

/** Waits in real time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
