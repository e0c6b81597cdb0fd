// Imported from modules: fake timers of a test replace the global functions, and time here would stop.
import { setImmediate } from 'node:timers';

/** Something that happens at a virtual moment. */
interface Happening {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Where virtual time starts: 2026-01-01T00:00:00Z. */
export const START = Date.UTC(2026, 0, 1);

/** Virtual time: one event after the other, by time, then by order of request. Promises settle in between. */
export class Scheduler {
  /** Epoch milliseconds of true time. The clocks of hosts differ from it. */
  now = START;
  #count = 0;
  /** A binary heap. */
  readonly #heap: Happening[] = [];

  /** Milliseconds since the start. */
  get elapsed(): number {
    return this.now - START;
  }

  /** Does something later. Returns a function that cancels it. */
  in(ms: number, run: () => void): () => void {
    const happening: Happening = { at: this.now + Math.max(0, ms), order: this.#count++, run };
    this.#push(happening);
    return () => {
      happening.run = undefined;
    };
  }

  /**
   * Moves time on until there is no event left, or until `isOver` is true.
   *
   * @param mayPass - waits for work in real time. @default there is none
   */
  async run(isOver: () => boolean, mayPass?: () => Promise<void>): Promise<void> {
    await drained();
    await mayPass?.();
    for (let next = this.#pop(); next !== undefined && !isOver(); next = this.#pop()) {
      if (next.run === undefined) continue;
      this.now = Math.max(this.now, next.at);
      next.run();
      await drained();
      await mayPass?.();
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(happening);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Happening;
      if (!isBefore(happening, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[index] = heap[child] as Happening;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Resolves once every promise that can continue has continued. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
