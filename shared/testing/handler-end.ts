/**
 * Calls a handler and reports when it has ended, before its caller gets the result. The result is awaited once, so that a query
 * that runs when it is awaited runs once.
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
  // Registered first, so that it is called first.
  end.then(
    () => ended(true),
    () => ended(false),
  );
  return end;
}
