import type { HistoryEvent, Violation } from '../history.ts';
import { type LogRecord, nameOf } from '../kafka-log.ts';
import { CLUSTERS } from '../ledger-world.ts';
import type { Settings } from '../settings.ts';
import { marksIn, settledTo, type Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/**
 * 10. A parked key keeps its order. No record of it starts while an earlier one waits in it; each that waits is handled in a
 * release, is a duplicate there, or an operator gives up on it; whoever counts parked keys counts right; and the fencing token only
 * grows for a key.
 */
export class ParkedKeys implements Oracle {
  readonly #truth: Truth;
  readonly #parkedKeys: (place: string) => number;
  readonly #parks: boolean;
  readonly #epochs = new Map<string, number>();
  /** Which cluster a life of the topic is in, where it is not the first one: another cluster has other items, and other epochs. */
  readonly #clusters = new Map<number, string>();
  /** Positions whose idempotency key is completed. */
  readonly #completed = new Set<string>();
  /** Up to which ordinal an operator was shown a sequence before giving up on it. */
  readonly #shown = new Map<string, number>();

  /** @param parkedKeys - how many items of parked keys the ledger holds of a partition */
  constructor({ parks }: Settings, truth: Truth, parkedKeys: (place: string) => number) {
    this.#parks = parks;
    this.#truth = truth;
    this.#parkedKeys = parkedKeys;
  }

  observe(event: HistoryEvent): Violation | undefined {
    switch (event.type) {
      case 'started':
        return this.#started(event);
      case 'changed':
        return this.#counted(event) ?? this.#secondPlace(event);
      case 'drops':
        this.#shown.set(event.sequence, Math.max(event.upTo, this.#shown.get(event.sequence) ?? 0));
        return undefined;
      case 'letter':
        return this.#plain(event);
      case 'parked':
        return this.#ended(event);
      case 'completed':
        this.#completed.add(event.position);
        return undefined;
      case 'recreated':
        this.#clusters.set(event.generation, event.cluster);
        return undefined;
      case 'rested': {
        const [waiting] = [...this.#truth.waiting].filter((record) => !this.#truth.excused.has(record));
        return waiting === undefined ? undefined : violation('waits for ever', waiting, 'is parked and never ends');
      }
      default:
        return undefined;
    }
  }

  #started({ record, epoch, invocation }: Extract<HistoryEvent, { type: 'started' }>): Violation | undefined {
    const { key, place } = record;
    if (key === null) return undefined;
    const own = this.#truth.placeOf.get(record);
    // What was forgotten may have two places.
    const places = this.#truth.excused.has(record) ? [] : this.#truth.waiting;
    for (const other of places) {
      if (other === record || other.place !== place || other.key !== key) continue;
      // Handled by the same release, or known to need no more: written with its next checkpoint.
      const { handled, excused } = this.#truth;
      if (handled.get(other)?.by === invocation || excused.has(other) || this.#truth.isDuplicate(other)) continue;
      // Its own work is done, and its idempotency key says so, though its process died before that was written.
      if (handled.has(other) && this.#completed.has(`${place}@${other.offset}`)) continue;
      const theirs = this.#truth.placeOf.get(other);
      const isBehind = own !== undefined && own.sequence === theirs?.sequence && own.ordinal < theirs.ordinal;
      if (!isBehind) return violation('order', record, `starts while ${nameOf(other)} is parked`);
    }
    if (own !== undefined && this.#truth.waiting.has(record) && !invocation.releases)
      return violation('order', record, 'is parked and starts outside of a release');
    const of = `${this.#clusters.get(record.generation) ?? CLUSTERS[0]} ${place} ${key}`;
    const known = this.#epochs.get(of) ?? 0;
    if (epoch < known) return violation('fencing', record, `starts under epoch ${epoch} after ${known}`);
    this.#epochs.set(of, epoch);
    return undefined;
  }

  /** Where keys park no record of a key is dead-lettered: its letter would leave a hole. */
  #plain({ record, parked, isGone }: Extract<HistoryEvent, { type: 'letter' }>): Violation | undefined {
    if (!this.#parks || parked !== undefined || isGone || record.key === null) return undefined;
    return violation('plain letter', record, 'has a letter that no release finds');
  }

  /** The partition counts the parked keys that there are. */
  #counted({ place, after }: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    const keys = this.#parkedKeys(place);
    if ((after.parked ?? 0) === keys) return undefined;
    return { property: 'P10 count', text: `${place} counts ${after.parked ?? 0} parked keys, there are ${keys}` };
  }

  /** A marked record never gets another ordinal. */
  #secondPlace({ place, after, generation }: Extract<HistoryEvent, { type: 'changed' }>): Violation | undefined {
    for (const { parked, offset } of marksIn(after.progress)) {
      const record = this.#truth.partition(place).find((one) => one.offset === offset && one.generation === generation);
      const known = record && this.#truth.placeOf.get(record);
      if (record === undefined || known === undefined || this.#truth.excused.has(record)) continue;
      if (this.#truth.replayed.has(record)) continue;
      if (this.#truth.assigned.get(parked.sequence)?.has(parked.ordinal)) continue;
      if (known.sequence !== parked.sequence || known.ordinal !== parked.ordinal)
        return violation('ordinals', record, `gets ordinal ${parked.ordinal} after ${known.ordinal}`);
    }
    return undefined;
  }

  /** What ends in a parked key was handled, or an operator gave up on it. */
  #ended(event: Extract<HistoryEvent, { type: 'parked' }>): Violation | undefined {
    const { before, after, by, place } = event;
    const hasHole =
      before !== undefined &&
      after === undefined &&
      before.tail > (this.#truth.assigned.get(before.sequence)?.size ?? 0);
    if (hasHole)
      return { property: 'P10 loss', text: `${place}: ordinals without a record go with ${before.sequence}` };
    if (by.type === 'operator') {
      const shown = this.#shown.get(before?.sequence ?? '') ?? 0;
      // By the ordinals that end: a record that a reset forgot may have parked a second time.
      const upTo = after === undefined ? (before?.tail ?? 0) : settledTo(after.progress);
      const unseen = upTo > shown ? this.#truth.endedBy(event).at(-1) : undefined;
      return unseen && violation('drop', unseen, `is given up on, and only ${shown} were shown`);
    }
    const lost = this.#truth.endedBy(event).find((record) => !this.#truth.isDone(record));
    return lost === undefined ? undefined : violation('loss', lost, 'ends in its parked key and was not handled');
  }
}

function violation(what: string, record: LogRecord, text: string): Violation {
  return { property: `P10 ${what}`, text: `${record.place} ${nameOf(record)} ${text}` };
}
