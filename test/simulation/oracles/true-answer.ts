import type { HistoryEvent, Violation } from '../history.ts';
import { nameOf } from '../kafka-log.ts';
import type { Truth } from '../truth.ts';
import type { Oracle } from './oracle.ts';

/** 8. A true answer: every identifier came from the event, and what is not named needs no more work. */
export class TrueAnswer implements Oracle {
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  observe(event: HistoryEvent): Violation | undefined {
    if (event.type !== 'answered') return undefined;
    const { invocation, failures } = event;
    for (const { partition, offset } of failures) {
      if (!invocation.parts.get(partition)?.some((record) => record.offset === offset))
        return violation(`i${invocation.id} names ${partition}@${offset}, which was not in its event`);
    }
    for (const [place, records] of invocation.parts) {
      const named = new Set(failures.filter(({ partition }) => partition === place).map(({ offset }) => offset));
      const unnamed = records.find(
        (record) =>
          !named.has(record.offset) && record.generation === this.#truth.generation && !this.#truth.isPassed(record),
      );
      if (unnamed !== undefined)
        return violation(`i${invocation.id} does not name ${place} ${nameOf(unnamed)}, which is not settled`);
      const offsets = records.map(({ offset }) => offset).filter((offset) => named.has(offset));
      const tail = records
        .map(({ offset }) => offset)
        .filter((offset) => offset >= (offsets[0] ?? Number.POSITIVE_INFINITY));
      if (tail.length !== offsets.length)
        return violation(
          `i${invocation.id} names ${offsets.join(' ')} of ${place}, not the whole tail ${tail.join(' ')}`,
        );
    }
    return undefined;
  }
}

function violation(text: string): Violation {
  return { property: 'P8 answer', text };
}
