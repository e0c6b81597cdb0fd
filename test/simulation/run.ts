import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { Moment, Violation } from './history.ts';
import type { LogRecord } from './kafka-log.ts';
import { type SetName, type Settings, settingsOf } from './settings.ts';
import { World } from './world.ts';

/** Names a run: the same case always has the same history. */
export interface Case {
  readonly seed: number;
  readonly set?: SetName;
  readonly order?: 'partition' | 'key';
  readonly reading?: ResendReading;
  /** Turned off by shrinking. */
  readonly off?: readonly FaultKind[];
  readonly skip?: readonly number[];
  readonly plain?: readonly number[];
  readonly mostRecords?: number;
}

/** What came of a run. */
export interface RunResult {
  readonly of: Case;
  readonly settings: Settings;
  readonly violation: Violation | undefined;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Faults drawn, those turned off included. */
  readonly drawn: number;
  readonly records: readonly LogRecord[];
  readonly invocations: number;
  readonly history: readonly Moment[];
  readonly metrics: ReadonlyMap<string, number>;
}

/** Lives one simulated life. @param traced - keeps the history */
export async function runCase(of: Case, traced = false): Promise<RunResult> {
  const { seed, set, order, reading, off = [], skip = [], plain = [], mostRecords } = of;
  const settings = settingsOf(seed, { ...(set && { set }), ...(order && { order }), ...(reading && { reading }) });
  const world = new World({
    plan: {
      seed,
      kinds: settings.kinds,
      requestChance: settings.requestChance,
      off: new Set(off),
      skip: new Set(skip),
    },
    settings,
    plain: new Set(plain),
    ...(mostRecords !== undefined && { mostRecords }),
    traced,
  });
  const violation = await world.run();
  return {
    of,
    settings,
    violation,
    faults: world.faults.counts,
    drawn: world.faults.drawn,
    records: world.records,
    invocations: world.fleet.invocations,
    history: world.history,
    metrics: world.metrics,
  };
}
