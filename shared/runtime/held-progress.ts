import type { Progress } from '../decide/progress.ts';
import { endIsolation, forget, isFull, pendingAfter, type Settling, settleAll, settledBy } from '../decide/settle.ts';
import { lowest, type OffsetRanges, subtract } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';

/** Where a partition stands, and what of our own batch must still be settled. */
export interface Standing {
  readonly progress: Progress;
  readonly mustReturn: OffsetRanges;
}

/**
 * Progress of a claimed partition, in memory. What settles is gathered and put into it when somebody asks: a copy for each
 * record would cost more than all else that is done for it.
 */
export class HeldProgress {
  #progress: Progress;
  #mustReturn: OffsetRanges;
  /** Not yet in the two above, nor in what {@link isPlain} reads. */
  #settled: Settling[] = [];
  /** How many ranges `#settled` is at most. */
  #settledRanges = 0;

  constructor({ progress, mustReturn }: Standing) {
    this.#progress = progress;
    this.#mustReturn = mustReturn;
  }

  get progress(): Progress {
    if (this.#settled.length > 0) {
      const settlings = this.#settled;
      this.#settled = [];
      this.#settledRanges = 0;
      this.adopt(this.after(settlings));
    }
    return this.#progress;
  }

  /** Whether nothing that is known keeps the record at `offset` from running: no blocked record, no crash isolation, and room for what settles. */
  isPlain(offset: Offset): boolean {
    const { blockedRecords, isolateUntil, running } = this.#progress;
    const isUneventful = isolateUntil === undefined && running === undefined && !blockedRecords.has(offset);
    return isUneventful && !isFull(this.#progress, this.#settledRanges);
  }

  /** Whether records run one at a time. */
  get isIsolating(): boolean {
    return this.#progress.isolateUntil !== undefined && this.progress.isolateUntil !== undefined;
  }

  /** The lowest offset of our batch, or pending before it, that is not settled. */
  get lowestUnsettled(): Offset | undefined {
    return lowest(pendingAfter(this.progress, this.#mustReturn));
  }

  update(change: (progress: Progress) => Progress): void {
    this.#progress = change(this.progress);
  }

  settle(settling: Settling): void {
    if (this.#settled.at(-1)?.record.offset !== settling.from - 1) this.#settledRanges++;
    this.#settled.push(settling);
  }

  /** How it would stand once these records are settled too. */
  after(settlings: readonly Settling[]): Standing {
    // First, since it takes what has settled off `#mustReturn`.
    const { progress } = this;
    const mustReturn = subtract(this.#mustReturn, settledBy(settlings));
    return { progress: endIsolation(settleAll(progress, settlings), mustReturn), mustReturn };
  }

  adopt({ progress, mustReturn }: Standing): void {
    this.#progress = progress;
    this.#mustReturn = mustReturn;
  }

  /** @param batchStart - first delivered offset of our own batch */
  forget(batchStart: Offset): void {
    this.update((progress) => forget(progress, batchStart, this.#mustReturn));
  }
}
