import type { Clock } from '../ports/clock.ts';
import { Sandbox } from '../runtime/sandbox.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * One execution environment of the function. It can die: then nothing of it goes on. It can freeze: its timers do not fire and
 * it gets no answers; afterwards everything that was due comes at once. It is also frozen between invocations, as in Lambda.
 */
export class Host {
  readonly name: string;
  readonly clock: Clock;
  readonly sandbox = new Sandbox();
  isAlive = true;
  #isIdle = true;
  #frozen = 0;
  /** What was deferred, and comes next. */
  #due = 0;
  #deferred: (() => void)[] = [];
  readonly #scheduler: Scheduler;
  readonly #onDeath: (why: string) => void;

  /** @param skewMs - how far its clock is ahead of true time */
  constructor(name: string, skewMs: number, scheduler: Scheduler, onDeath: (host: Host, why: string) => void) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#onDeath = (why) => onDeath(this, why);
    this.clock = {
      now: () => scheduler.now + skewMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  /** Does something in the host: later if it is frozen, never if it is dead by then. */
  deliver(run: () => void): void {
    if (!this.isAlive) return;
    if (this.#isIdle || this.#frozen > 0) this.#deferred.push(run);
    else run();
  }

  /** Does something in the host after a while. */
  in(ms: number, run: () => void): () => void {
    return this.#scheduler.in(ms, () => this.deliver(run));
  }

  die(why: string): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#deferred = [];
    this.#onDeath(why);
  }

  /** Freezes, whatever happens. */
  freeze(ms: number): void {
    this.#frozen++;
    this.#scheduler.in(ms, () => {
      this.#frozen--;
      this.#thaw();
    });
  }

  /** Nothing of it can go on before time passes. */
  get isHeld(): boolean {
    return this.#isIdle || this.#frozen > 0 || this.#due > 0;
  }

  get isFrozen(): boolean {
    return this.#frozen > 0;
  }

  /** An invocation begins, before or after the leftovers of the one before. */
  wake(begin: () => void, leftoversFirst: boolean): void {
    this.#isIdle = false;
    if (!leftoversFirst) {
      begin();
      this.#thaw();
      return;
    }
    this.#thaw();
    this.#scheduler.in(0, () => this.deliver(begin));
  }

  /** An invocation has answered. */
  rest(): void {
    this.#isIdle = true;
  }

  #thaw(): void {
    if (this.#isIdle || this.#frozen > 0) return;
    const due = this.#deferred;
    this.#deferred = [];
    for (const run of due) {
      this.#due++;
      this.#scheduler.in(0, () => {
        this.#due--;
        this.deliver(run);
      });
    }
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      if (signal === undefined) {
        this.in(ms, resolve);
        return;
      }
      const callOff = this.in(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      function abort() {
        callOff();
        resolve();
      }
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
