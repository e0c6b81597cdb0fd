import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** Knows whether what was started within {@link run} waits for anything: a timer, a file, a socket. */
export class WorkUnderWay {
  readonly #mine = new AsyncLocalStorage<true>();
  readonly #waitedFor = new Set<number>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (!UNTOLD.test(type) && this.#mine.getStore() === true) this.#waitedFor.add(id);
    },
    destroy: (id) => void this.#waitedFor.delete(id),
  });

  constructor() {
    this.#hook.enable();
  }

  run<T>(work: () => T): T {
    return this.#mine.run(true, work);
  }

  /** Nothing that was started is waited for: what has not ended yet may never do. */
  get isIdle(): boolean {
    return this.#waitedFor.size === 0;
  }

  close(): void {
    this.#hook.disable();
    this.#waitedFor.clear();
  }
}

/** Resources that are gone within the same turn, or live as long as their process. */
const UNTOLD =
  /^(?:PROMISE|TickObject|Microtask|Immediate|TTYWRAP|PIPEWRAP|MESSAGEPORT|WORKER|ELDHISTOGRAM|SIGNALWRAP)$/;
