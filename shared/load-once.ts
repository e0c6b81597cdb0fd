/**
 * Makes something once, when it is first needed, so that a cold start need not. A failure is not kept: the next call tries
 * again.
 */
export function loadOnce<T>(make: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= make().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
