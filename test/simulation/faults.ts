import { Random } from '../../shared/testing/random.ts';
import { type FaultKind, REQUEST_FAULTS } from './fault-kinds.ts';

/** Which faults may happen in a run. */
export interface FaultPlan {
  readonly seed: number;
  readonly kinds: ReadonlySet<FaultKind>;
  /** Of a single request. */
  readonly requestChance: number;
  /** Kinds turned off, for shrinking: every other draw stays as it was. */
  readonly off: ReadonlySet<FaultKind>;
  /** Faults left out, by their number in the run, for shrinking. */
  readonly skip: ReadonlySet<number>;
  /** Faults that happen for certain, for scenarios. */
  readonly forced?: readonly ForcedFault[];
}

/** The n-th opportunity, from 1: of a kind, or of a request of that name. */
export interface ForcedFault {
  readonly kind: FaultKind;
  readonly nth: number;
  readonly request?: string;
}

/** Draws faults, each kind from a stream of its own, and counts those that happen. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #plan: FaultPlan;
  readonly #streams = new Map<string, Random>();
  readonly #requestFaults: readonly FaultKind[];
  readonly #requests: Random;
  readonly #isOver: () => boolean;
  /** How often something could have gone wrong, where faults are forced. */
  readonly #opportunities = new Map<string, number>();
  #drawn = 0;

  /** @param isOver - from when on nothing goes wrong any more: then all must come to rest */
  constructor(plan: FaultPlan, isOver: () => boolean) {
    this.#plan = plan;
    this.#isOver = isOver;
    this.#requests = new Random(plan.seed, 'requests');
    this.#requestFaults = REQUEST_FAULTS.filter((kind) => plan.kinds.has(kind));
  }

  /** How many were drawn so far; the numbers that `skip` names. */
  get drawn(): number {
    return this.#drawn;
  }

  /** Whether faults of this kind are part of the run. */
  may(kind: FaultKind): boolean {
    return this.#plan.kinds.has(kind) && !this.#plan.off.has(kind);
  }

  happens(kind: FaultKind, chance: number): boolean {
    if (this.#isForced(kind, kind) === kind) {
      this.saw(kind);
      return true;
    }
    if (!this.#plan.kinds.has(kind)) return false;
    if (!this.stream(kind).chance(chance) || this.#isOver()) return false;
    return this.#admit(kind);
  }

  /** What goes wrong with the next request of that name. */
  atRequest(name: string): FaultKind | undefined {
    const forced = this.#isForced(name, undefined);
    if (forced !== undefined) {
      this.saw(forced);
      return forced;
    }
    const [first, ...rest] = this.#requestFaults;
    if (first === undefined || !this.#requests.chance(this.#plan.requestChance)) return undefined;
    const kind = this.#requests.pick([first, ...rest]);
    return !this.#isOver() && this.#admit(kind) ? kind : undefined;
  }

  /** How a fault of this kind turns out. */
  stream(kind: string): Random {
    const known = this.#streams.get(kind);
    if (known !== undefined) return known;
    const stream = new Random(this.#plan.seed, kind);
    this.#streams.set(kind, stream);
    return stream;
  }

  /** Counts what nobody drew but happened. */
  saw(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  #isForced(opportunity: string, kind: FaultKind | undefined): FaultKind | undefined {
    const { forced = [] } = this.#plan;
    if (forced.length === 0) return undefined;
    const nth = (this.#opportunities.get(opportunity) ?? 0) + 1;
    this.#opportunities.set(opportunity, nth);
    return forced.find(
      (one) => one.nth === nth && (kind === undefined ? one.request === opportunity : one.kind === kind),
    )?.kind;
  }

  #admit(kind: FaultKind): boolean {
    const number = this.#drawn++;
    if (this.#plan.off.has(kind) || this.#plan.skip.has(number)) return false;
    this.saw(kind);
    return true;
  }
}
