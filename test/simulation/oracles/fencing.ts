import type { HistoryEvent, Violation } from '../history.ts';
import type { Oracle } from './oracle.ts';

/** Hosts' clocks differ by up to a second. */
const CLOCK_TOLERANCE_MS = 1_050;

/** 6. Fencing: a stale epoch never changes the item, no revision is lost, nobody takes a partition that is held. */
export class Fencing implements Oracle {
  readonly #start: number;

  /** @param start - epoch milliseconds of the run's beginning */
  constructor(start: number) {
    this.#start = start;
  }

  observe(event: HistoryEvent, at: number): Violation | undefined {
    if (event.type !== 'changed') return undefined;
    const { place, before, after } = event;
    const known = before?.epoch ?? 0;
    if (after.epoch < known) return violation(`${place}: epoch ${after.epoch} changes an item of epoch ${known}`);
    if (after.epoch > known + 1) return violation(`${place}: epoch ${after.epoch} follows ${known}`);
    if (after.rev !== (before?.rev ?? 0) + 1)
      return violation(`${place}: revision ${after.rev} follows ${before?.rev}`);
    const isClaim = after.epoch > known;
    const isPassing =
      event.by.type === 'invocation' ? event.by.invocation.releases === true : after.parked !== undefined;
    if (isClaim && before?.owner !== undefined && before.leaseUntil > this.#start + at + CLOCK_TOLERANCE_MS)
      return violation(`${place}: epoch ${after.epoch} takes what ${before.owner} holds`);
    // A release takes the epoch for its key, and leaves the partition to nobody.
    if (isClaim && after.owner === undefined && !isPassing)
      return violation(`${place}: epoch ${after.epoch} claims and takes no lease`);
    if (!isClaim && before?.owner === undefined) return violation(`${place}: written without a claim`);
    return undefined;
  }
}

function violation(text: string): Violation {
  return { property: 'P6 fencing', text };
}
