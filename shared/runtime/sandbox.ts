import { observeHandlerMs } from '../decide/deadline.ts';

/**
 * State of the process that outlives an invocation: how long handlers take, whether one of an earlier invocation still runs,
 * and which may run now. Crash isolation runs one handler at a time in the whole process, so that a death counts for the right
 * record.
 */
export class Sandbox {
  /** The longest recent handler run, in milliseconds. */
  longestHandlerMs = 0;
  /** Handlers that an earlier invocation stopped waiting for and that still run. */
  stalledHandlers = 0;
  #running = 0;
  #alone = false;
  #waiting: { readonly alone: boolean; readonly enter: (admitted: boolean) => void }[] = [];

  observe(handlerMs: number): void {
    this.longestHandlerMs = observeHandlerMs(this.longestHandlerMs, handlerMs);
  }

  /**
   * Waits until a handler may run; nearly always it may at once. With `alone`, no other may run beside it. `false`: the
   * invocation must answer first.
   */
  enter(alone: boolean): Promise<boolean> | true {
    if (this.#waiting.length === 0 && this.#admits(alone)) {
      this.#admit(alone);
      return true;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ alone, enter: resolve });
    });
  }

  /** A handler has ended. */
  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#alone = false;
    // In order of arrival, so that one that waits to run alone is not overtaken for ever.
    for (let next = this.#waiting[0]; next !== undefined && this.#admits(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#admit(next.alone);
      next.enter(true);
    }
  }

  /** The invocation must answer: handlers that still wait may not run. */
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
