import type { ResendReading } from '../../infra/local/event-source/decide.ts';
import { BUGS as SIMULATED } from '../simulation/bugs.ts';
import type { Patch } from '../simulation/patch-modules.ts';
import type { PromiseName } from './evidence.ts';
import type { StagedFault } from './faults.ts';

/** A promise broken on purpose in what is deployed, to show that a chaos run notices. */
export interface ChaosBug {
  readonly what: string;
  readonly patches: readonly Patch[];
  /** What shows it soonest: other faults are left out with `--bug`. */
  readonly faults: readonly StagedFault[];
  readonly reading: ResendReading;
  readonly records: number;
  /** One of these findings names it. */
  readonly breaks: readonly PromiseName[];
}

/** By name. */
export const CHAOS_BUGS = {
  'first-record-only-answer': {
    what: SIMULATED['first-record-only-answer'].what,
    patches: SIMULATED['first-record-only-answer'].patches,
    faults: ['killed'],
    reading: 'reported',
    records: 600,
    breaks: ['answer', 'lost'],
  },
  'settled-before-letter': {
    what: SIMULATED['settled-before-letter'].what,
    patches: SIMULATED['settled-before-letter'].patches,
    faults: ['killedBeforeLetter'],
    reading: 'lowest',
    records: 600,
    breaks: ['lost', 'letterMissing'],
  },
  'letter-without-write': {
    what: SIMULATED['letter-without-write'].what,
    patches: SIMULATED['letter-without-write'].patches,
    faults: ['killedAfterLetter', 'killedAfterLetter', 'killedAfterLetter', 'killedAfterLetter'],
    reading: 'lowest',
    records: 1_200,
    breaks: ['both'],
  },
  'no-epoch-condition': {
    what: 'the ledger takes any write, whoever holds the partition now',
    patches: [
      {
        file: 'shared/adapters/dynamodb/ledger-update.ts',
        find: "'#epoch = :epoch AND #owner = :owner AND #rev = :rev'",
        put: "'#v = :v OR (#epoch = :epoch AND #owner = :owner AND #rev = :rev)'",
      },
    ],
    faults: ['lateWrite', 'lateWrite'],
    reading: 'lowest',
    records: 900,
    breaks: ['fencing'],
  },
  'checkpoint-ahead': {
    what: 'a record counts as settled with the one before it',
    patches: [
      {
        file: 'shared/runtime/settling.ts',
        find: '({ record, from: ',
        put: '({ record: { ...record, offset: record.offset + 1 }, from: ',
      },
    ],
    faults: ['killed'],
    reading: 'lowest',
    records: 600,
    breaks: ['lost', 'letterMissing'],
  },
} as const satisfies Readonly<Record<string, ChaosBug>>;

export type ChaosBugName = keyof typeof CHAOS_BUGS;
export const CHAOS_BUG_NAMES = Object.keys(CHAOS_BUGS) as ChaosBugName[];
