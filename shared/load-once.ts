/** Something that is made when it is first asked for. */
export interface LoadedOnce<T> {
  /** Makes it, or gives what was made. What could not be made is asked for again. */
  get(): Promise<T>;
  /** What was made, or is being made; `undefined` where nobody asked, or it could not be made. */
  readonly loaded: Promise<T> | undefined;
}

/** Makes something once, for a cold start that does not need it. */
export function loadOnce<T>(make: () => Promise<T>): LoadedOnce<T> {
  let loaded: Promise<T> | undefined;
  return {
    get: () => {
      loaded ??= make().catch((error: unknown) => {
        loaded = undefined;
        throw error;
      });
      return loaded;
    },
    get loaded() {
      return loaded;
    },
  };
}
