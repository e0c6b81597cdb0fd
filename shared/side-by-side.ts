/**
 * Runs `work` on each of `things`, at most `limit` at a time. @throws the first error, after all that had started have ended
 */
export async function sideBySide<T>(
  things: readonly T[],
  limit: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const lane = async () => {
    while (next < things.length && errors.length === 0) {
      const thing = things[next++] as T;
      try {
        await work(thing);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, things.length) }, lane));
  if (errors.length > 0) throw errors[0];
}
