import type { PlannedRecord } from './plan.ts';

/** A line of the handler's own history. */
export interface HandlerEvent {
  readonly what: 'started' | 'done';
  readonly partition: number;
  readonly offset: number;
  readonly attempt: number;
  readonly epoch: number;
  /** Epoch ms, this machine's clock. */
  readonly at: number;
}

/** A letter as it lies on the dead-letter topic or in the fallback queue. */
export interface FoundLetter {
  /** Of the record it is for. */
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  /** Epoch ms; before it was sent. */
  readonly deadLetteredAt: number;
  readonly where: 'topic' | 'queue';
  readonly key: string;
  readonly value: string;
}

/** Offsets from `from` to `to`, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What the ledger was asked and what it did, as seen between function and ledger. */
export type LedgerEvent =
  | { readonly type: 'claimed'; readonly partition: number; readonly epoch: number; readonly at: number }
  | {
      readonly type: 'write';
      readonly partition: number;
      readonly epoch: number;
      readonly settled: readonly Range[];
      readonly askedAt: number;
      /** When its fate was known. */
      readonly at: number;
      /** `refused`: a condition did not hold. `lost`: it never reached the ledger. */
      readonly fate: 'applied' | 'refused' | 'lost';
      /** The function did not learn what became of it in time. */
      readonly disturbed: boolean;
    };

/** What a run that came to a standstill looked like: nothing was handled and nothing committed any more. */
export interface Standstill {
  readonly seconds: number;
  /** Where the group stands: the next offset of each partition. */
  readonly committed: ReadonlyMap<number, number>;
  readonly groupState: string;
  readonly members: readonly { readonly id: string; readonly partitions: readonly number[] }[];
  /** Pollers that the event source counts: each should be one member. */
  readonly pollers: number;
}

/** All that a run is judged by. */
export interface Evidence {
  readonly topic: string;
  readonly partitions: number;
  readonly checkpointMs: number;
  readonly produced: readonly PlannedRecord[];
  /** In the order in which it was written. */
  readonly history: readonly HandlerEvent[];
  readonly letters: readonly FoundLetter[];
  /** In the order in which it became true. */
  readonly ledger: readonly LedgerEvent[];
  /** What the ledger's items say in the end: offsets that must still come back. */
  readonly pending: ReadonlyMap<number, readonly Range[]>;
  /** Answers that named what was not in their event, or not the whole tail; as texts. */
  readonly untrueAnswers: readonly string[];
  /** Entries of the fallback queue that are no letters. */
  readonly abandoned: readonly string[];
  /** Absent where everything was committed. */
  readonly standstill?: Standstill | undefined;
}

/** The promises that a run is judged by, as the table names them. */
export const PROMISES = {
  stuck: 'stuck: partitions that went no further',
  lost: 'records lost',
  unsettled: 'not settled in the ledger at the end',
  rerun: 'handled again though recorded as settled',
  window: 'handled again beyond the checkpoint window',
  order: 'out of order',
  letterMissing: 'letters missing',
  letterDoubled: 'letters doubled, with different ids',
  letterForeign: 'letters for records that needed none, or with other bytes',
  both: 'a letter and a handling both',
  fencing: 'stale writes that the ledger took',
  answer: 'untrue answers',
  abandoned: 'given up to the relay',
} as const;

export type PromiseName = keyof typeof PROMISES;

/** One promise, broken. */
export interface Finding {
  readonly promise: PromiseName;
  /** `topic-partition@offset`, and what is wrong with it. */
  readonly text: string;
}
