import { withMarks } from '../decide/parking.ts';
import type { BlockedRecord, Progress } from '../decide/progress.ts';
import { endIsolation, forget, isFull, pendingAfter, type Settling, settleAll, settledBy } from '../decide/settle.ts';
import { lowest, type OffsetRanges, subtract } from '../record/offset-ranges.ts';
import type { Offset } from '../record/units.ts';

const NO_MARKS: readonly BlockedRecord[] = [];

/** The progress of a partition, and what Lambda must deliver again of our own batch as long as it is not settled. */
export interface BatchProgress {
  readonly progress: Progress;
  readonly toRedeliver: OffsetRanges;
}

/**
 * Progress of a claimed partition, in memory. Settled records are collected, and merged into the progress when it is read:
 * copying the progress for each record would cost more than all other work.
 */
export class HeldProgress {
  #progress: Progress;
  #toRedeliver: OffsetRanges;
  /** Settled, and not yet merged into the two above. */
  #settled: Settling[] = [];
  /** An upper bound of the number of ranges in `#settled`. */
  #settledRanges = 0;

  constructor({ progress, toRedeliver }: BatchProgress) {
    this.#progress = progress;
    this.#toRedeliver = toRedeliver;
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

  /** Whether the record at `offset` may run: it is not blocked, there is no crash isolation, and the item has room. */
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
    return lowest(pendingAfter(this.progress, this.#toRedeliver));
  }

  update(change: (progress: Progress) => Progress): void {
    this.#progress = change(this.progress);
  }

  settle(settling: Settling): void {
    if (this.#settled.at(-1)?.record.offset !== settling.from - 1) this.#settledRanges++;
    this.#settled.push(settling);
  }

  /** How it will be once these records are settled or marked too. */
  after(settlings: readonly Settling[], marks: readonly BlockedRecord[] = NO_MARKS): BatchProgress {
    // First, because reading it also removes settled offsets from `#toRedeliver`.
    const progress = marks.length === 0 ? this.progress : withMarks(this.progress, marks);
    const toRedeliver = subtract(this.#toRedeliver, settledBy(settlings));
    return { progress: endIsolation(settleAll(progress, settlings), toRedeliver), toRedeliver };
  }

  adopt({ progress, toRedeliver }: BatchProgress): void {
    this.#progress = progress;
    this.#toRedeliver = toRedeliver;
  }

  /** @param batchStart - first delivered offset of our own batch */
  forget(batchStart: Offset): void {
    this.update((progress) => forget(progress, batchStart, this.#toRedeliver));
  }
}
