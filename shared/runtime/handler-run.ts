import type { Invocation } from './invocation.ts';
import type { Sandbox } from './sandbox.ts';

/** How a run of a handler ended. `stalled`: it did not end, and the invocation must answer. */
export type HandlerEnd =
  | { readonly type: 'succeeded' }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'stalled' };

/**
 * Runs a handler until it ends or the invocation must answer. The caller has entered the sandbox.
 *
 * @param leave - called when the handler has ended; leaves the sandbox
 */
export function runHandler(
  call: () => unknown,
  invocation: Invocation,
  sandbox: Sandbox,
  leave: () => void,
): Promise<HandlerEnd> | HandlerEnd {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    leave();
    return { type: 'failed', error };
  }
  if (isPrimitive(result)) {
    leave();
    return { type: 'succeeded' };
  }
  return new Promise((resolve) => {
    let stalled = false;
    const forget = invocation.onStall(() => {
      stalled = true;
      sandbox.stalledHandlers++;
      resolve({ type: 'stalled' });
    });
    const ended = (end: HandlerEnd) => {
      forget();
      leave();
      if (stalled) sandbox.stalledHandlers--;
      resolve(end);
    };
    void onceEnded(result, ended);
  });
}

/** Only `await` handles every returned value safely: a `then` that throws or calls back twice, a revoked proxy. */
async function onceEnded(result: unknown, ended: (end: HandlerEnd) => void): Promise<void> {
  let end: HandlerEnd = { type: 'succeeded' };
  try {
    await result;
  } catch (error) {
    end = { type: 'failed', error };
  }
  ended(end);
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function');
}
