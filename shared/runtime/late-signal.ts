/**
 * An abort signal that is created when it is first read. Few handlers read it, and creating one takes longer than settling some
 * records.
 */
export class LateSignal {
  #controller: AbortController | undefined;
  #isAborted = false;
  readonly #listeners: (() => void)[] = [];

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Calls `listener` when it is aborted. Not called if that has happened before. */
  onAbort(listener: () => void): void {
    this.#listeners.push(listener);
  }

  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#controller?.abort();
    for (const listener of this.#listeners) listener();
  }
}
