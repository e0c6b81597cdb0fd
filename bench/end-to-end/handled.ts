/** What a consumer has handled since its last report. Times are epoch milliseconds. */
export interface Handled {
  readonly records: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Records by milliseconds between produced and handled. */
  readonly delays: Readonly<Record<string, number>>;
}

/** Counts records as they are handled. */
export class HandledCounter {
  #records = 0;
  #firstAt = 0;
  #lastAt = 0;
  #delays = new Map<number, number>();

  /** @param producedAt - the record's timestamp */
  add(producedAt: number): void {
    const now = Date.now();
    if (this.#records++ === 0) this.#firstAt = now;
    this.#lastAt = now;
    const delay = now - producedAt;
    this.#delays.set(delay, (this.#delays.get(delay) ?? 0) + 1);
  }

  /** What was handled since the last call. */
  take(): Handled {
    const taken = {
      records: this.#records,
      firstAt: this.#firstAt,
      lastAt: this.#lastAt,
      delays: Object.fromEntries(this.#delays),
    };
    this.#records = 0;
    this.#delays = new Map();
    return taken;
  }
}

/** Several accounts as one. */
export function together(all: readonly Handled[]): Handled {
  const delays: Record<string, number> = {};
  for (const one of all)
    for (const [delay, count] of Object.entries(one.delays)) delays[delay] = (delays[delay] ?? 0) + count;
  return {
    records: all.reduce((sum, { records }) => sum + records, 0),
    firstAt: Math.min(...all.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...all.map(({ lastAt }) => lastAt)),
    delays,
  };
}

/** Milliseconds within which this part of the records was handled. */
export function delayWithin({ records, delays }: Handled, part: number): number {
  let left = records * part;
  for (const delay of Object.keys(delays)
    .map(Number)
    .toSorted((a, b) => a - b)) {
    left -= delays[delay] ?? 0;
    if (left <= 0) return delay;
  }
  return Number.NaN;
}
