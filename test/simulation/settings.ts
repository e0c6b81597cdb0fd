import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import { Random } from '../../shared/testing/random.ts';
import type { FaultKind } from './fault-kinds.ts';

const DEATHS = ['diesBefore', 'diesAfter'] as const;
const REQUESTS = ['refused', 'throttled', 'slow', 'answerLost', 'landsLate', 'denied', ...DEATHS] as const;
const POISON = ['fails', 'failsForEver', 'nonRetryable', 'kills', 'killsForEver', 'undecodable', 'pauses'] as const;
const INVOCATIONS = ['deliveredTwice', 'notInvoked', 'connectionLost', 'clockSkew'] as const;

/** Which faults may occur together. */
export const SETS = {
  calm: [],
  gaps: ['gap', ...POISON],
  base: [...REQUESTS, ...INVOCATIONS, ...POISON, 'gap', 'rebalance', 'offsetsTooLow', 'slowHandler'],
  stall: [
    ...DEATHS,
    ...INVOCATIONS,
    'answerLost',
    'rebalance',
    'frozen',
    'hangs',
    'blocks',
    'slowHandler',
    'kills',
    'gap',
  ],
  lose: [
    ...DEATHS,
    ...POISON,
    'answerLost',
    'landsLate',
    'clockSkew',
    'rebalance',
    'offsetsTooHigh',
    'slowRetry',
    'gap',
  ],
  vanish: [...DEATHS, ...POISON, 'answerLost', 'rebalance', 'gap', 'retention'],
  deep: [...DEATHS, 'rebalance', 'offsetsTooLow', 'gap', 'fails'],
  wide: [...DEATHS, ...POISON, 'answerLost', 'rebalance', 'clockSkew', 'effectRefused', 'conflicted'],
  pause: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'mappingDisabled'],
  rewind: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'groupRewound'],
  recreate: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'recreatedNewer', 'rebalance'],
  older: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'recreatedOlder'],
  move: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'clusterMoved'],
  keys: [...REQUESTS, ...INVOCATIONS, ...POISON, 'rebalance', 'gap', 'frozen', 'effectRefused', 'conflicted'],
  flood: [...DEATHS, 'answerLost', 'fails', 'gap', 'rebalance'],
  // A history longer than the ledger's memory, replayed, and then another topic in its place.
  forgotten: [...DEATHS, 'answerLost', 'gap', 'groupRewound', 'recreatedNewer'],
  // Where the consumer meets other people's code and records.
  seams: [
    ...DEATHS,
    ...POISON,
    ...(['throwsOddly', 'badThenable', 'plainDecoder', 'foreignHeaders', 'formChanged', 'conflicted'] as const),
    ...(['answerLost', 'landsLate', 'throttled', 'effectRefused', 'rebalance', 'offsetsTooLow', 'gap'] as const),
  ],
  // Keys park, are released, dropped and freed, and park again, while records go on arriving.
  park: [
    ...REQUESTS,
    ...INVOCATIONS,
    ...POISON,
    ...(['gap', 'rebalance', 'frozen', 'slowHandler', 'effectRefused', 'conflicted', 'offsetsTooLow'] as const),
  ],
  parkLost: [
    ...DEATHS,
    ...POISON,
    ...(['answerLost', 'landsLate', 'rebalance', 'offsetsTooHigh', 'slowRetry', 'retention', 'gap', 'hangs'] as const),
  ],
  parkAnew: [...DEATHS, ...POISON, 'answerLost', 'landsLate', 'gap', 'recreatedNewer', 'rebalance', 'frozen'],
} as const satisfies Record<string, readonly FaultKind[]>;

export type SetName = keyof typeof SETS;

export const SET_NAMES = Object.keys(SETS) as SetName[];

/** What a run is like; all of it follows from the seed. */
export interface Settings {
  readonly set: SetName;
  readonly kinds: ReadonlySet<FaultKind>;
  readonly order: 'partition' | 'key';
  readonly reading: ResendReading;
  readonly keyed: boolean;
  readonly transacts: boolean;
  readonly produces: boolean;
  /** The handler is an `onBatch`. */
  readonly batched: boolean;
  readonly partitions: number;
  readonly pollers: number;
  readonly recordsPerPartition: number;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly keys: number;
  readonly requestChance: number;
  readonly poisonChance: number;
  readonly gapChance: number;
  readonly rebalances: number;
  readonly checkpointMs: number | 'record';
  readonly maxAttempts: number;
  readonly maxConsecutiveDeadLetters: number;
  readonly failureMode: 'report' | 'throw';
  readonly timeoutMs: number;
  readonly onReplay: 'halt' | 'skip';
  readonly plainDecoder: boolean;
  /** An exhausted record parks its key. */
  readonly parks: boolean;
  /** The relay tries parked keys again by itself. */
  readonly releases: boolean;
  /** Parked keys, and records in each, are few: what comes then stands still. */
  readonly parksFew: boolean;
}

/** @param choice - what the command line fixed */
export function settingsOf(
  seed: number,
  choice: { set?: SetName; order?: 'partition' | 'key'; reading?: ResendReading } = {},
): Settings {
  const chance = new Random(seed, 'settings');
  const drawn = {
    set: chance.pick(WEIGHTED),
    order: chance.pick(['partition', 'key'] as const),
    reading: chance.pick(['lowest', 'reported', 'batch', 'overtaken'] as const),
  };
  const set = choice.set ?? drawn.set;
  const kinds: ReadonlySet<FaultKind> = new Set(SETS[set]);
  const isDeep = set === 'deep';
  const isWide = set === 'wide';
  const isFlood = set === 'flood';
  const parks = set === 'park' || set === 'parkLost' || set === 'parkAnew';
  const isLong = isDeep || set === 'forgotten' || ((set === 'rewind' || set === 'recreate') && chance.chance(0.1));
  const partitions = isLong ? 1 : set === 'keys' ? 2 : chance.pick([1, 1, 2, 3]);
  const keyed = set === 'keys' || chance.chance(0.25);
  return {
    set,
    kinds,
    order: parks ? 'key' : (choice.order ?? drawn.order),
    reading: choice.reading ?? drawn.reading,
    keyed,
    transacts: chance.chance(0.3),
    produces: chance.chance(0.15),
    batched: chance.chance(0.15),
    partitions,
    pollers: chance.pick([1, 2]),
    recordsPerPartition: isLong ? chance.between(70, 110) : isWide ? 40 : chance.between(4, 12),
    batchSize: isLong ? chance.between(1, 2) : isWide ? chance.between(15, 40) : chance.between(1, 8),
    windowMs: chance.pick([0, 0, 300]),
    keys: isWide ? 10 : 3,
    requestChance: chance.pick([0.01, 0.03, 0.09]) / (isLong ? 8 : 1),
    poisonChance: isLong ? 0.02 : chance.chance(0.7) ? 0.3 : 0.05,
    gapChance: kinds.has('gap') && chance.chance(0.6) ? 0.3 : 0,
    rebalances: chance.chance(0.7) ? chance.between(1, isDeep ? 6 : 4) : 0,
    checkpointMs: chance.pick([200, 200, 200, 'record', 1_000]),
    maxAttempts: chance.pick([5, 5, 5, 3, 1]),
    maxConsecutiveDeadLetters: isFlood ? chance.between(1, 2) : 100,
    failureMode: chance.chance(0.05) ? 'throw' : 'report',
    timeoutMs: chance.pick([60_000, 60_000, 30_000]),
    onReplay: set === 'forgotten' ? chance.pick(['halt', 'skip'] as const) : 'halt',
    plainDecoder: kinds.has('plainDecoder') && chance.chance(0.5),
    parks,
    releases: parks && chance.chance(0.5),
    parksFew: parks && chance.chance(0.25),
  };
}

/** Long runs cost ten times as much as short ones. */
const WEIGHTED: readonly [SetName, ...SetName[]] = [
  'base',
  'base',
  'base',
  'base',
  'stall',
  'stall',
  'stall',
  'keys',
  'keys',
  'keys',
  'lose',
  'lose',
  'lose',
  'recreate',
  'recreate',
  'vanish',
  'vanish',
  'pause',
  'pause',
  'rewind',
  'rewind',
  'older',
  'wide',
  'wide',
  'flood',
  'gaps',
  'deep',
  'calm',
  'move',
  'forgotten',
  'seams',
  'seams',
  'park',
  'park',
  'park',
  'parkLost',
  'parkLost',
  'parkAnew',
];
