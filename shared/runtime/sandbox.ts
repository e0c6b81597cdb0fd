import { observeHandlerMs } from '../decide/deadline.ts';

/** Nearly every handler may run at once. */
const ENTERED = Promise.resolve(true);

/**
 * What outlives an invocation in its process: how long handlers take, whether one of an earlier invocation still runs, and who
 * may run one now. Crash isolation runs one handler at a time in the whole process, so that a death counts for the right record.
 */
export class Sandbox {
  /** Longest handler run seen lately, in milliseconds. */
  longestHandlerMs = 0;
  /** Handlers that an earlier invocation gave up on and that have not ended. */
  stalledHandlers = 0;
  #running = 0;
  #alone = false;
  #waiting: { readonly alone: boolean; readonly enter: (admitted: boolean) => void }[] = [];

  observe(handlerMs: number): void {
    this.longestHandlerMs = observeHandlerMs(this.longestHandlerMs, handlerMs);
  }

  /** Waits until a handler may run; `alone` beside no other. `false`: the invocation must answer first. */
  enter(alone: boolean): Promise<boolean> {
    if (this.#waiting.length === 0 && this.#admits(alone)) {
      this.#admit(alone);
      return ENTERED;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ alone, enter: resolve });
    });
  }

  /** A handler has ended. */
  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#alone = false;
    // First come, first served: one that waits to run alone is never overtaken for ever.
    for (let next = this.#waiting[0]; next !== undefined && this.#admits(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#admit(next.alone);
      next.enter(true);
    }
  }

  /** The invocation must answer: nothing that still waits may run. */
  turnAway(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { enter } of waiting) enter(false);
  }

  #admits(alone: boolean): boolean {
    return alone ? this.#running === 0 : !this.#alone;
  }

  #admit(alone: boolean): void {
    this.#running++;
    this.#alone = alone;
  }
}
