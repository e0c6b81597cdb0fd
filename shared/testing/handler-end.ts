/**
 * Calls a handler and tells when it has ended, before its caller learns of it. What it returns is awaited once: a query that runs when
 * it is awaited runs once.
 */
export function tellEnd(call: () => unknown, ended: (succeeded: boolean) => void): unknown {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    ended(false);
    throw error;
  }
  if (result === null || (typeof result !== 'object' && typeof result !== 'function')) {
    ended(true);
    return result;
  }
  const end = (async () => {
    await result;
  })();
  // First, so that it is told first.
  end.then(
    () => ended(true),
    () => ended(false),
  );
  return end;
}
