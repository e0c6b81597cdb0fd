import { Sandbox } from '../runtime/sandbox.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Time stands still while a handler runs: it may do real work. */
export class HoldingSandbox extends Sandbox {
  readonly #clock: VirtualClock;
  readonly #onRun: () => void;
  readonly #releases: (() => void)[] = [];

  /** @param onRun - told when a handler has ended */
  constructor(clock: VirtualClock, onRun: () => void) {
    super();
    this.#clock = clock;
    this.#onRun = onRun;
  }

  override enter(alone: boolean): Promise<boolean> | true {
    const entered = super.enter(alone);
    if (entered !== true) return entered.then((admitted) => admitted && this.#hold());
    return this.#hold();
  }

  override leave(): void {
    this.#releases.pop()?.();
    this.#onRun();
    super.leave();
  }

  #hold(): true {
    this.#releases.push(this.#clock.hold());
    return true;
  }
}
