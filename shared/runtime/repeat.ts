import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { UnknownFate } from '../ports/idempotency-key-store.ts';
import type { EpochMs } from '../record/units.ts';

/** The first pause and the longest one before a repetition, with full jitter. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** How long a request is repeated. */
export interface Patience {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** No repetition starts after this time. */
  readonly giveUpAt: EpochMs;
}

/** Whether a repetition cannot help: the table or a permission is missing. Adapters say so with `transient: false`. */
function isFinalError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'transient' in error && error.transient === false;
}

/**
 * Sends the same request until it is answered. Throttling passes. A request whose answer was lost may have been applied, so no
 * other request may be sent instead.
 *
 * @throws the last error, once the time is over or no repetition can help
 */
export async function repeat<T>(send: () => Promise<T>, { clock, entropy, giveUpAt }: Patience): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await send();
    } catch (error) {
      const pause = Math.ceil(entropy.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
      if (isFinalError(error) || clock.now() + pause >= giveUpAt) throw error;
      await clock.sleep(pause);
    }
  }
}

/**
 * Sends many requests at a time until each is answered. Only those whose fate is unknown are sent again.
 *
 * @returns one answer for each request, in their order
 * @throws the error of one that was not answered, once the time is over or no repetition can help
 */
export async function repeatEach<Q, A extends { readonly type: string }>(
  requests: readonly Q[],
  send: (open: readonly Q[]) => Promise<readonly (A | UnknownFate)[]>,
  patience: Patience,
): Promise<readonly A[]> {
  const answers: A[] = [];
  let open = requests.map((request, index) => ({ request, index }));
  await repeat(async () => {
    const got = await send(open.length === requests.length ? requests : open.map(({ request }) => request));
    const unknown: UnknownFate[] = [];
    open = open.filter(({ index }, at) => {
      const answer = got[at] as A | UnknownFate;
      if (isUnknown(answer)) unknown.push(answer);
      else answers[index] = answer;
      return isUnknown(answer);
    });
    if (unknown.length > 0) throw (unknown.find(({ error }) => isFinalError(error)) ?? unknown[0])?.error;
  }, patience);
  return answers;
}

function isUnknown(answer: { readonly type: string }): answer is UnknownFate {
  return answer.type === 'unknown';
}
