import type { ParkedItem, ParkedPlace, PartitionItem } from '../../shared/decide/progress.ts';
import type { OffsetRanges } from '../../shared/record/offset-ranges.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { LogRecord } from './kafka-log.ts';

/** One run of the function, as the simulation knows it. */
export interface SimInvocation {
  readonly id: number;
  readonly host: string;
  readonly startedAt: number;
  /** True time at which Lambda ends it. */
  readonly deadline: number;
  readonly parts: ReadonlyMap<string, readonly LogRecord[]>;
  /** By partition. */
  readonly sessions: Map<string, SimSession>;
  state: 'running' | 'answered' | 'died';
  endedAt: number | undefined;
  /** Something went wrong with one of its own requests, or its host stood still. */
  disturbed: boolean;
  /** It releases a parked key instead of handling a batch. */
  readonly releases?: true;
}

/** One hold on a partition: what the simulation knows of it. */
export interface SimSession {
  readonly owner: string;
  epoch: number | undefined;
  /** True time until which the invocation believes that it has the lease. */
  leaseUntil: number;
  /** True time of its release. */
  releasedAt: number | undefined;
  /** True time at which a write was refused to it. */
  fencedAt: number | undefined;
}

/** Who changes an item. */
export type Writer =
  /** `askedAt`: when it sent the request first, in true milliseconds since the start. */
  | { readonly type: 'invocation'; readonly invocation: SimInvocation; readonly askedAt: number }
  | { readonly type: 'relay' }
  | { readonly type: 'operator' };

/** `untried`: a call of `onBatch` failed, and nobody can say what became of this record in it. */
export type RunEnd = 'succeeded' | 'failed' | 'nonRetryable' | 'paused' | 'killed' | 'untried';

/** All that happens and that a property can depend on. */
export type HistoryEvent =
  | { readonly type: 'sent'; readonly invocation: SimInvocation }
  | {
      readonly type: 'changed';
      readonly by: Writer;
      readonly place: string;
      /** The topic's life that the writer's batch came from. */
      readonly generation: number;
      readonly before: PartitionItem | undefined;
      readonly after: PartitionItem;
    }
  | {
      readonly type: 'started';
      readonly invocation: SimInvocation;
      readonly record: LogRecord;
      readonly attempt: number;
      readonly epoch: number;
    }
  | {
      readonly type: 'ended';
      readonly invocation: SimInvocation;
      readonly record: LogRecord;
      readonly how: RunEnd;
      /** What was handed over in the same call: its effects go together. */
      readonly call?: readonly LogRecord[];
    }
  | {
      readonly type: 'letter';
      readonly by: Writer;
      readonly record: LogRecord;
      readonly id: string;
      readonly where: 'topic' | 'queue';
      readonly parked?: ParkedPlace;
      /** It says that Kafka held the record no more. */
      readonly isGone?: boolean;
    }
  /** An operator gives up on what was shown of a parked key. */
  | { readonly type: 'drops'; readonly sequence: string; readonly upTo: number }
  /** The item of a parked key was written, or is gone. */
  | {
      readonly type: 'parked';
      readonly by: Writer;
      readonly place: string;
      readonly before: ParkedItem | undefined;
      readonly after: ParkedItem | undefined;
    }
  | { readonly type: 'effect'; readonly record: LogRecord }
  /** What it passed on is on the other topic. */
  | { readonly type: 'produced'; readonly record: LogRecord }
  /** What it passed on was not acknowledged: its run does not count. */
  | { readonly type: 'notProduced'; readonly record: LogRecord; readonly invocation: SimInvocation }
  /** The condition of an effect did not hold: the run that wanted it counts as failed. */
  | { readonly type: 'effectRefused'; readonly record: LogRecord }
  | { readonly type: 'completed'; readonly key: string; readonly position: string }
  | {
      readonly type: 'answered';
      readonly invocation: SimInvocation;
      readonly failures: readonly { readonly partition: string; readonly offset: number }[];
    }
  | { readonly type: 'died'; readonly invocation: SimInvocation; readonly why: string }
  | { readonly type: 'fault'; readonly kind: FaultKind; readonly text: string; readonly invocation?: SimInvocation }
  | {
      readonly type: 'abandoned';
      readonly place: string;
      readonly offsets: readonly number[];
      readonly by: 'missingRecord' | 'sweep';
      /** What the mapping still owes of it. */
      readonly toRedeliver: readonly number[];
      /** How long the request to the queue was under way. A record that came back meanwhile was missing when it was sent. */
      readonly lateMs: number;
    }
  | {
      readonly type: 'decided';
      readonly place: string;
      readonly command: 'skip' | 'run' | 'reset';
      readonly below: number;
      /** What the ledger still counts as settled. */
      readonly settled: OffsetRanges;
    }
  | { readonly type: 'vanished'; readonly record: LogRecord }
  | { readonly type: 'recreated'; readonly generation: number; readonly cluster: string }
  | { readonly type: 'rewound'; readonly place: string }
  | { readonly type: 'mapping'; readonly text: string }
  /** A log line that names a partition, as who looks after it sees. `waitsFor`: it says that others wait for this one. */
  | { readonly type: 'sign'; readonly place: string; readonly waitsFor?: number }
  /** What the runtime logs; only in traces. */
  | { readonly type: 'said'; readonly text: string; readonly invocation: SimInvocation }
  /** Nothing happens any more; `stuck`: though something should. */
  | { readonly type: 'rested'; readonly stuck: string | undefined };

/** An event and its moment, in true milliseconds since the start. */
export interface Moment {
  readonly at: number;
  readonly event: HistoryEvent;
}

/** A promise that was broken. */
export interface Violation {
  /** Of which property, as `P3 repeats`. */
  readonly property: string;
  readonly text: string;
}
