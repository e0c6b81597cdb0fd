/** How much of a list goes into one request, and how many requests are under way at a time. */
export interface Chunking {
  readonly size: number;
  readonly atOnce: number;
}

/** Sends a list chunk by chunk, some side by side. Returns the answers to its things, in their order. */
export async function byChunk<T, R>(
  things: readonly T[],
  { size, atOnce }: Chunking,
  send: (chunk: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  if (things.length <= size) return things.length === 0 ? [] : send(things);
  const chunks: (readonly T[])[] = [];
  for (let at = 0; at < things.length; at += size) chunks.push(things.slice(at, at + size));
  const answers: (readonly R[])[] = [];
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < chunks.length; index = next++)
      answers[index] = await send(chunks[index] as readonly T[]);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, chunks.length) }, lane));
  return answers.flat();
}
