import type { Target } from '../cli/target.ts';

/** After this time the stacks are read again: a consumer may have come or gone. */
const REOPEN_AFTER_MS = 60_000;

/** A target that somebody works with. */
export interface Lease {
  readonly target: Target;
  /** Ends the work. */
  free(): void;
}

interface Opened {
  readonly target: Promise<Target>;
  readonly at: number;
  leases: number;
  isOld: boolean;
}

/** Keeps a target open, reads its stacks again every minute, and closes the former one when nobody works with it. */
export function keptTarget(open: () => Promise<Target>) {
  let current: Opened | undefined;
  const closeIfUnused = (one: Opened) => {
    if (one.isOld && one.leases === 0) void one.target.then((target) => target[Symbol.asyncDispose]()).catch(() => {});
  };
  const retire = (one: Opened | undefined) => {
    if (one === undefined) return;
    if (one === current) current = undefined;
    one.isOld = true;
    closeIfUnused(one);
  };
  const lease = async (): Promise<Lease> => {
    if (current !== undefined && Date.now() - current.at >= REOPEN_AFTER_MS) retire(current);
    current ??= { target: open(), at: Date.now(), leases: 0, isOld: false };
    const own = current;
    own.leases++;
    let isFree = false;
    const free = () => {
      if (isFree) return;
      isFree = true;
      own.leases--;
      closeIfUnused(own);
    };
    try {
      return { target: await own.target, free };
    } catch (error) {
      free();
      retire(own);
      throw error;
    }
  };
  return {
    lease,
    /** Works with the target. */
    async use<T>(work: (target: Target) => Promise<T>): Promise<T> {
      const { target, free } = await lease();
      try {
        return await work(target);
      } finally {
        free();
      }
    },
    /** Closes it, whoever works with it: their requests fail. */
    close(): void {
      if (current === undefined) return;
      current.leases = 0;
      retire(current);
    },
  };
}

export type KeptTarget = ReturnType<typeof keptTarget>;
