import { type DeadlinePlan, planDeadline } from '../decide/deadline.ts';
import type { Clock } from '../ports/clock.ts';
import type { EpochMs } from '../record/units.ts';

/** One invocation of the Lambda function: its plan, when handlers should end, and when the runtime stops waiting for them. */
export class Invocation {
  readonly requestId: string;
  readonly plan: DeadlinePlan;
  readonly #ended = new AbortController();
  readonly #onAbort = new Set<() => void>();
  readonly #onStall = new Set<() => void>();
  readonly #onAnswer = new Set<() => void>();
  readonly #onEnd = new Set<() => void>();
  #stalling = false;

  constructor(requestId: string, remainingMs: number, clock: Clock) {
    this.requestId = requestId;
    this.plan = planDeadline(clock.now(), remainingMs);
    this.onStall(() => {
      this.#stalling = true;
    });
    void this.#fireInTurn(clock);
  }

  /** Whether the runtime has stopped waiting for handlers. None may start any more. */
  get isStalling(): boolean {
    return this.#stalling;
  }

  /** Calls `listener` once, when handlers should end. Returns a function that removes it. */
  onAbort(listener: () => void): () => void {
    this.#onAbort.add(listener);
    return () => this.#onAbort.delete(listener);
  }

  /** Calls `listener` once, when a handler that still runs counts as an interruption. Returns a function that removes it. */
  onStall(listener: () => void): () => void {
    this.#onStall.add(listener);
    return () => this.#onStall.delete(listener);
  }

  /** Calls `listener` once, when the answer must be sent. */
  onAnswer(listener: () => void): void {
    this.#onAnswer.add(listener);
  }

  /** Calls `listener` once, when the invocation has answered. Returns a function that removes it. */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  /** Ends the invocation. No timer stays. */
  end(): void {
    // The reason is given: creating the default one, an error with a stack, takes longer than settling ten records.
    this.#ended.abort('ended');
    for (const listener of [...this.#onEnd]) listener();
    this.#onEnd.clear();
    this.#onAbort.clear();
    this.#onStall.clear();
    this.#onAnswer.clear();
  }

  /** Sets one timer at a time. */
  async #fireInTurn(clock: Clock): Promise<void> {
    const { abortAt, stallAt, answerBy } = this.plan;
    const turns: readonly (readonly [EpochMs, Set<() => void>])[] = [
      [abortAt, this.#onAbort],
      [stallAt, this.#onStall],
      [answerBy, this.#onAnswer],
    ];
    for (const [at, listeners] of turns) {
      await clock.sleep(Math.max(0, at - clock.now()), this.#ended.signal);
      if (this.#ended.signal.aborted) return;
      for (const listener of [...listeners]) listener();
    }
  }
}
