import { type DeadlinePlan, planDeadline } from '../decide/deadline.ts';
import type { Clock } from '../ports/clock.ts';
import type { EpochMs } from '../record/units.ts';

type Listener = () => void;

/** One invocation of the Lambda function: its plan, when handlers should end, and when the runtime stops waiting for them. */
export class Invocation {
  readonly requestId: string;
  readonly plan: DeadlinePlan;
  readonly #ended = new AbortController();
  readonly #onAbort: Listener[] = [];
  readonly #onStall: Listener[] = [];
  readonly #onAnswer: Listener[] = [];
  readonly #onEnd: Listener[] = [];
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
  onAbort(listener: Listener): () => void {
    return listen(this.#onAbort, listener);
  }

  /** Calls `listener` once, when a handler that still runs counts as an interruption. Returns a function that removes it. */
  onStall(listener: Listener): () => void {
    return listen(this.#onStall, listener);
  }

  /** Calls `listener` once, when the answer must be sent. */
  onAnswer(listener: Listener): void {
    this.#onAnswer.push(listener);
  }

  /** Calls `listener` once, when the invocation has answered. Returns a function that removes it. */
  onEnd(listener: Listener): () => void {
    return listen(this.#onEnd, listener);
  }

  /** Ends the invocation. No timer stays. */
  end(): void {
    // The reason is given: creating the default one, an error with a stack, takes longer than settling ten records.
    this.#ended.abort('ended');
    for (const listener of [...this.#onEnd]) listener();
    this.#onEnd.length = 0;
    this.#onAbort.length = 0;
    this.#onStall.length = 0;
    this.#onAnswer.length = 0;
  }

  /** Sets one timer at a time. */
  async #fireInTurn(clock: Clock): Promise<void> {
    const { abortAt, stallAt, answerBy } = this.plan;
    const turns: readonly (readonly [EpochMs, Listener[]])[] = [
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

/** A list: each call of a handler adds a listener and takes it out again, and that is nearly always the last one. */
function listen(listeners: Listener[], listener: Listener): () => void {
  listeners.push(listener);
  return () => {
    const at = listeners.lastIndexOf(listener);
    if (at >= 0) listeners.splice(at, 1);
  };
}
