/** The least time between the beginnings of two looks at AWS, however many pages are open. */
export const LOOK_EVERY_MS = 5_000;

/** Looks again and again while somebody watches. */
export interface Looks {
  /** Watches until the returned function is called. */
  watch(): () => void;
  stop(): void;
}

/**
 * Looks while there are watchers: one look at a time, and never two within {@link LOOK_EVERY_MS}.
 *
 * @param look - never throws
 */
export function startLooks(look: () => Promise<void>): Looks {
  let watchers = 0;
  let isLooking = false;
  let lastAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const plan = () => {
    if (watchers === 0 || isLooking || timer !== undefined) return;
    timer = setTimeout(
      async () => {
        timer = undefined;
        lastAt = Date.now();
        isLooking = true;
        await look();
        isLooking = false;
        plan();
      },
      Math.max(0, lastAt + LOOK_EVERY_MS - Date.now()),
    );
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    watch() {
      watchers++;
      plan();
      let isGone = false;
      return () => {
        if (isGone) return;
        isGone = true;
        watchers--;
        if (watchers === 0) stop();
      };
    },
    stop() {
      watchers = Number.NEGATIVE_INFINITY;
      stop();
    },
  };
}

/** Answers to questions, each asked once however many ask it. */
export interface SharedAnswers {
  of<T>(question: string, ask: () => Promise<T>): Promise<T>;
  /** After a change old answers are not true any more. */
  forget(): void;
}

/** Answers equal questions that come within {@link LOOK_EVERY_MS} with one look. */
export function sharedAnswers(): SharedAnswers {
  const known = new Map<string, { readonly at: number; readonly answer: Promise<unknown> }>();
  return {
    of<T>(question: string, ask: () => Promise<T>): Promise<T> {
      const now = Date.now();
      for (const [old, { at }] of known) if (now - at >= LOOK_EVERY_MS) known.delete(old);
      const answer = (known.get(question)?.answer ?? ask()) as Promise<T>;
      if (!known.has(question)) known.set(question, { at: now, answer });
      return answer;
    },
    forget: () => known.clear(),
  };
}
