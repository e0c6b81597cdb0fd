import type { KeyedBy } from '../peers/common/peer.ts';
import type { BatchShape } from './orders-event.ts';

/** One round that the parent requests from a consumer's process. */
export interface Round {
  readonly shape: BatchShape;
  readonly keyedBy: KeyedBy;
  /** `memory` with the least time a request takes; `dynamodb`: whatever AWS_ENDPOINT_URL_DYNAMODB names. */
  readonly store: { readonly type: 'memory'; readonly latencyMs: number } | { readonly type: 'dynamodb' };
  readonly batches: number;
  /** A fresh topic: a record that failed in it before would block later ones. @default one for all rounds */
  readonly topic?: string;
  /** Measure bytes allocated too: only in a process whose young generation is larger than what a round allocates. */
  readonly allocation: boolean;
}

/** What a round showed, for all its records. */
export interface RoundResult {
  readonly records: number;
  /** User and system time of the whole process, garbage collection and compilation included. */
  readonly cpuMicros: number;
  readonly wallMs: number;
  readonly allocatedBytes: number;
  /** Records reported back. */
  readonly reported: number;
}
