import type { Crash } from './delivery.ts';

/** The crashes of a delivery that have not happened yet. */
export class Crashes {
  readonly #runs = new Set<number>();
  readonly #before = new Map<string, number>();
  readonly #after = new Map<string, number>();

  constructor(crash: Crash | readonly Crash[] = []) {
    for (const one of [crash].flat()) {
      if ('afterRun' in one) this.#runs.add(one.afterRun);
      else if ('afterHandlerOf' in one) this.#after.set(one.afterHandlerOf, one.times ?? 1);
      else this.#before.set(one.beforeHandlerOf, one.times ?? 1);
    }
  }

  afterRun(run: number): boolean {
    return this.#runs.delete(run);
  }

  /** The crashes that have not happened yet, as text. */
  left(): readonly string[] {
    const named = (when: string, left: ReadonlyMap<string, number>) =>
      [...left].filter(([, times]) => times > 0).map(([name]) => `${when} the handler of ${name}`);
    return [
      ...[...this.#runs].map((run) => `after run ${run} of the handler`),
      ...named('before', this.#before),
      ...named('after', this.#after),
    ];
  }

  before(positions: readonly string[]): boolean {
    return takenOne(this.#before, positions);
  }

  after(positions: readonly string[]): boolean {
    return takenOne(this.#after, positions);
  }
}

/** Takes one crash for the first of the names that has one left. */
function takenOne(left: Map<string, number>, names: readonly string[]): boolean {
  const due = names.find((name) => (left.get(name) ?? 0) > 0);
  if (due !== undefined) left.set(due, (left.get(due) ?? 0) - 1);
  return due !== undefined;
}
