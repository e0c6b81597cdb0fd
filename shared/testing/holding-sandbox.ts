import { Sandbox } from '../runtime/sandbox.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A sandbox in which time stands still while a handler does real work. */
export class HoldingSandbox extends Sandbox {
  readonly #clock: VirtualClock;
  readonly #releases: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    super();
    this.#clock = clock;
  }

  override async enter(alone: boolean): Promise<boolean> {
    const entered = await super.enter(alone);
    if (entered) this.#releases.push(this.#clock.hold());
    return entered;
  }

  override leave(): void {
    this.#releases.pop()?.();
    super.leave();
  }

  /** Ends the process, with every handler that still runs in it. */
  abandon(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}
