/** The steps of a swap. */
export interface SwapSteps<Code> {
  build(): Promise<Code>;
  /** Resolves when no invocation is in flight. @returns lets invocations go on */
  hold(): Promise<() => void>;
  update(code: Code): Promise<void>;
}

/**
 * Gives a function new code. The old code runs while the new one is built: invocations wait for the update alone, and not at all
 * for code that does not compile.
 */
export async function swapCode<Code>({ build, hold, update }: SwapSteps<Code>): Promise<void> {
  const code = await build();
  const goOn = await hold();
  try {
    await update(code);
  } finally {
    goOn();
  }
}
