/** Makes something when it is first asked for, once: for a cold start that does not need it. What could not be made is asked for again. */
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
