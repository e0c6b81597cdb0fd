import type { Invocation, Invoker } from '../event-source/invoker.ts';

/** An invoker that can be held: then no invocation starts, until it goes on. */
export interface InvocationGate extends Invoker {
  /** Holds a function's invocations, or all. Resolves when none is in flight. @returns lets them go on */
  hold(functionArn?: string): Promise<() => void>;
}

/** The emulator ends the processes of a function whose code changes. So what is in flight ends first, and the next invocation waits. */
export function invocationGate(invoker: Invoker): InvocationGate {
  const holds = new Set<{ readonly functionArn: string | undefined; readonly until: Promise<void> }>();
  const inFlight = new Map<Promise<Invocation>, string>();
  const holdOf = (functionArn: string) =>
    [...holds].find((hold) => hold.functionArn === undefined || hold.functionArn === functionArn);
  return {
    async invoke(functionArn, payload) {
      for (let hold = holdOf(functionArn); hold !== undefined; hold = holdOf(functionArn)) await hold.until;
      const running = invoker.invoke(functionArn, payload);
      inFlight.set(running, functionArn);
      try {
        return await running;
      } finally {
        inFlight.delete(running);
      }
    },
    async hold(functionArn) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const hold = { functionArn, until: promise };
      holds.add(hold);
      const under = [...inFlight].filter(([, arn]) => functionArn === undefined || arn === functionArn);
      await Promise.allSettled(under.map(([running]) => running));
      return () => {
        holds.delete(hold);
        resolve();
      };
    },
  };
}
