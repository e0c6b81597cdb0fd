import { RESEND_READINGS } from '../../infra/local/event-source/decide.ts';
import type { ForcedFault } from './faults.ts';
import type { HistoryEvent, Violation } from './history.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { PlannedRecord } from './topic.ts';
import { World } from './world.ts';

/** A story told on purpose: what is in the topic, what goes wrong, and what else happens. */
export interface Scenario {
  readonly records: readonly (readonly PlannedRecord[])[];
  readonly settings?: Partial<Settings>;
  readonly faults?: readonly ForcedFault[];
  /** Called before anything happens. */
  readonly plot?: (world: World) => void;
}

/** What came of a scenario under one reading, order and seed. */
export interface ScenarioResult {
  readonly name: string;
  readonly violation: Violation | undefined;
  readonly events: readonly HistoryEvent[];
  readonly metric: (name: string) => number;
}

/** Plays a scenario under every resend reading, in both orders, with several draws of what time leaves open. */
export async function play({ records, settings, faults = [], plot }: Scenario, draws = 3): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const reading of RESEND_READINGS)
    for (const order of ['partition', 'key'] as const)
      for (let seed = 1; seed <= draws; seed++) {
        const calm = settingsOf(seed, { set: 'calm', order, reading });
        const world = new World({
          plan: { seed, kinds: new Set(), requestChance: 0, off: new Set(), skip: new Set(), forced: faults },
          settings: { ...calm, ...PLAIN, partitions: records.length, ...settings },
          records,
          traced: true,
        });
        plot?.(world);
        const violation = await world.run();
        const metrics: ReadonlyMap<string, number> = world.metrics;
        results.push({
          name: `${reading}, ${order}, seed ${seed}`,
          violation,
          events: world.history.map(({ event }) => event),
          metric: (name) => metrics.get(name) ?? 0,
        });
      }
  return results;
}

const PLAIN: Partial<Settings> = {
  keyed: false,
  transacts: false,
  produces: false,
  batched: false,
  pollers: 1,
  batchSize: 4,
  windowMs: 0,
  checkpointMs: 200,
  maxAttempts: 5,
  failureMode: 'report',
  timeoutMs: 60_000,
};
