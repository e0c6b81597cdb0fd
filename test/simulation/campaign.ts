import type { FaultKind } from './fault-kinds.ts';
import { type Case, type RunResult, runCase } from './run.ts';

/** How far many runs have come. */
export interface Progress {
  readonly runs: number;
  readonly of: number;
  readonly runsPerSecond: number;
}

/** What came of many runs. */
export interface Campaign {
  readonly runs: number;
  readonly seconds: number;
  readonly invocations: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** The first run that broke a promise; nothing ran after it. */
  readonly failing: RunResult | undefined;
}

/**
 * Runs one case after the other, seeds counting up, until one breaks a promise.
 *
 * @param onProgress - called about every `everyMs` of real time
 */
export async function runCampaign(
  first: Case,
  runs: number,
  onProgress: (progress: Progress) => void = () => undefined,
  everyMs = 200,
): Promise<Campaign> {
  const faults = new Map<FaultKind, number>();
  const startedAt = performance.now();
  let reportedAt = startedAt;
  let invocations = 0;
  let done = 0;
  let failing: RunResult | undefined;
  for (; done < runs && failing === undefined; done++) {
    const result = await runCase({ ...first, seed: first.seed + done });
    invocations += result.invocations;
    for (const [kind, count] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
    if (result.violation !== undefined) failing = result;
    const now = performance.now();
    if (now - reportedAt < everyMs && done + 1 < runs) continue;
    reportedAt = now;
    onProgress({ runs: done + 1, of: runs, runsPerSecond: ((done + 1) * 1_000) / (now - startedAt) });
  }
  return { runs: done, seconds: (performance.now() - startedAt) / 1_000, invocations, faults, failing };
}
