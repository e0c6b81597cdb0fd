import { Random } from '../../shared/testing/random.ts';

/** Faults that happen one after the other, each while its own slice of the records goes through; how many of each in a run of 20,000. */
export const STAGED_FAULTS = {
  killed: { count: 4, what: 'function processes killed in mid-batch' },
  killedBeforeLetter: { count: 2, what: 'function processes killed with a letter under way' },
  killedAfterLetter: { count: 2, what: 'function processes killed just after a letter' },
  brokerStopped: { count: 1, what: 'broker stopped in good order and started again' },
  brokerKilled: { count: 1, what: 'broker killed and started again' },
  pollerJoined: { count: 2, what: 'pollers joined' },
  pollerLeft: { count: 1, what: 'pollers left, drained' },
  pollerVanished: { count: 2, what: 'pollers vanished with batches in flight' },
  storm: { count: 2, what: 'seconds-long DynamoDB storms' },
  lateWrite: { count: 2, what: 'ledger writes that landed after a successor had claimed' },
  lettersRefused: { count: 1, what: 'times the dead-letter topic had too few replicas' },
  lettersTooLarge: { count: 1, what: 'times the dead-letter topic took no letter' },
} as const;

export type StagedFault = keyof typeof STAGED_FAULTS;
export const STAGED_FAULT_NAMES = Object.keys(STAGED_FAULTS) as StagedFault[];

/** Faults that are drawn as requests and events pass, and what the plan's records do. */
export const DRAWN_FAULTS = {
  throttled: 'DynamoDB requests throttled',
  answerLost: 'DynamoDB answers lost, the request applied',
  cut: 'DynamoDB connections cut before the request',
  slow: 'DynamoDB requests slower than the function waits',
  deliveredTwice: 'events delivered twice at once',
  resent: 'events resent',
  rebalances: 'rebalances',
  workersKilled: 'function processes killed, all in all',
  handlerExits: 'handlers that ended their process',
  failedTries: 'failed tries of handlers',
  queueLetters: 'letters kept by the fallback queue',
} as const;

export type DrawnFault = keyof typeof DRAWN_FAULTS;
export type FaultCounts = Record<StagedFault | DrawnFault, number>;

export function noFaults(): FaultCounts {
  const names = [...STAGED_FAULT_NAMES, ...(Object.keys(DRAWN_FAULTS) as DrawnFault[])];
  return Object.fromEntries(names.map((name) => [name, 0])) as FaultCounts;
}

/** The staged faults of a run in their order: each kind in proportion to the records, at least once. */
export function planFaults(seed: number, records: number, kinds: readonly StagedFault[]): readonly StagedFault[] {
  const random = new Random(seed, 'faults');
  const faults = kinds.flatMap((kind) =>
    Array.from({ length: Math.max(1, Math.round((STAGED_FAULTS[kind].count * records) / 20_000)) }, () => kind),
  );
  return faults
    .map((kind) => ({ kind, place: random.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
}
