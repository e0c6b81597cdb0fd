import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import type { RealWork } from './virtual-clock.ts';

/** Knows whether anything that was started within {@link run} waits: for a timer, a file, a socket. */
export class WorkUnderWay implements RealWork {
  readonly #mine = new AsyncLocalStorage<true>();
  /** Work that was started since {@link rested}, and before, by its id. */
  #fresh = new Map<number, WeakRef<object>>();
  readonly #old = new Map<number, WeakRef<object>>();
  readonly #hook = createHook({
    init: (id, type, _, resource) => {
      if (!UNTOLD.test(type) && this.#mine.getStore() === true) this.#fresh.set(id, new WeakRef(resource));
    },
    destroy: (id) => {
      this.#fresh.delete(id);
      this.#old.delete(id);
    },
  });

  constructor() {
    this.#hook.enable();
  }

  run<T>(work: () => T): T {
    return this.#mine.run(true, work);
  }

  /** Nothing waits any more. What has not ended yet may never end. */
  get isIdle(): boolean {
    return this.isCalm && !anyHolds(this.#old);
  }

  /** Nothing waits that was started since {@link rested}. */
  get isCalm(): boolean {
    return !anyHolds(this.#fresh);
  }

  /** No work runs now. An open connection is not work. */
  rested(): void {
    for (const [id, resource] of this.#fresh) this.#old.set(id, resource);
    this.#fresh = new Map();
  }

  close(): void {
    this.#hook.disable();
    this.#fresh.clear();
    this.#old.clear();
  }
}

/** Whether any of it would keep a process alive. The idle connections of a pool would not. */
function anyHolds(resources: ReadonlyMap<number, WeakRef<object>>): boolean {
  for (const one of resources.values()) {
    const resource: { hasRef?: () => boolean } | undefined = one.deref();
    if (resource !== undefined && resource.hasRef?.() !== false) return true;
  }
  return false;
}

/** Resources that are gone within the same turn, or that live as long as their process. */
const UNTOLD =
  /^(?:PROMISE|TickObject|Microtask|Immediate|TTYWRAP|PIPEWRAP|MESSAGEPORT|WORKER|ELDHISTOGRAM|SIGNALWRAP)$/;
