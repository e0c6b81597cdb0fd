import { sideBySide } from '../../side-by-side.ts';

/** How much of a list goes into one request, and how many requests run at a time. */
export interface Chunking {
  readonly size: number;
  readonly atOnce: number;
}

/** Sends a list in chunks, some side by side. Returns one answer for each element, in order. */
export async function byChunk<T, R>(
  things: readonly T[],
  { size, atOnce }: Chunking,
  send: (chunk: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  if (things.length <= size) return things.length === 0 ? [] : send(things);
  const answers: (readonly R[])[] = Array.from({ length: Math.ceil(things.length / size) }, () => []);
  await sideBySide([...answers.keys()], atOnce, async (index) => {
    answers[index] = await send(things.slice(index * size, (index + 1) * size));
  });
  return answers.flat();
}
