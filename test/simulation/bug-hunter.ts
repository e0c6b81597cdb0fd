/** A worker thread that looks for one deliberate bug after the other: test/simulation/bug-hunters.ts starts it. */
import { parentPort } from 'node:worker_threads';
import { BUGS, type Bug, type BugName } from './bugs.ts';
import { importPatched } from './patch-modules.ts';

/** What came of a hunt. */
export interface Hunt {
  readonly bug: BugName;
  /** The first seed that broke a promise, and which one. */
  readonly found?: { readonly seed: number; readonly property: string };
  readonly runs: number;
}

// Stacks cost more than all the rest.
Error.stackTraceLimit = 0;

parentPort?.on('message', async (name: BugName) => parentPort?.postMessage(await hunt(name)));

async function hunt(name: BugName): Promise<Hunt> {
  const { patches, set, from = 1, within }: Bug = BUGS[name];
  const { runCampaign } = await importPatched<typeof import('./campaign.ts')>(
    import.meta.resolve('./campaign.ts'),
    name,
    patches,
  );
  const { runs, failing } = await runCampaign({ seed: from, set }, within);
  if (failing?.violation === undefined) return { bug: name, runs };
  return { bug: name, runs, found: { seed: failing.of.seed, property: failing.violation.property } };
}
