import type { OffsetRanges } from '../record/offset-ranges.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';

/** Identifies the record at an offset: a recreated topic has another record there. */
export interface RecordIdentity {
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  /**
   * Hash of the value as delivered. Computed when it is read, so read it last. Empty where only the broker's bytes are known
   * and the mapping decodes values.
   */
  readonly valueHash: string;
}

/** The first record of a claimed batch. It is kept to recognise a recreated topic. */
export type FirstRecord = RecordIdentity;

/** An unsettled record with something to remember: tries, a back-off, a dead letter on its way. */
export interface BlockedRecord extends RecordIdentity {
  /** Hash of the record's key in key order, otherwise absent. */
  readonly keyHash?: string;
  /** Runs of the record handler that ended in an error. */
  readonly attempts: number;
  /** Runs of the record handler that never ended. */
  readonly interruptions: number;
  /** A dead letter is due or may have been written. The handler never gets this record again. */
  readonly exhausted: boolean;
  /** What its letter says where it parks or is of a parked key: never another, whatever becomes of the parked key. */
  readonly parked?: ParkedPlace;
  /** Of a parked record: releases that began with it. */
  readonly rounds?: number;
  readonly firstFailedAt?: EpochMs;
  /** The record does not start before this time. */
  readonly notBefore?: EpochMs;
  /** Of the last error, without ids and numbers. */
  readonly fingerprint?: string;
  /** The last error. It is kept so that the dead letter can name it when its publication was interrupted or is repeated. */
  readonly error?: ErrorSummary;
}

/** A record's place among those of its parked key. */
export interface ParkedPlace {
  /** Another one each time that a key parks. */
  readonly sequence: string;
  /** Counts from 1. */
  readonly ordinal: number;
}

/** What a blocked record and a dead letter keep of an error, redacted and cut. */
export interface ErrorSummary {
  readonly name: string;
  readonly text: string;
  readonly stage: Stage;
}

/** Where a record failed. */
export type Stage = 'decode' | 'validate' | 'idempotency' | 'handler' | 'interrupted' | 'unattempted' | 'parked';

/** The pending offset that the partition waits for. */
export interface MissingRecord {
  readonly offset: Offset;
  readonly since: EpochMs;
  /** Later batches that came after `missingRecordTimeoutMs` was over. */
  readonly laterBatches: number;
}

/** Everything that the ledger remembers of a partition, except who holds it. Immutable. docs/architecture.md. */
export interface Progress {
  /** Settled offsets. Offsets that do not exist inside a batch count as settled with it. */
  readonly settled: OffsetRanges;
  /** Offsets that were reported to Lambda and are not settled. They must come back before any later record runs. */
  readonly pending: OffsetRanges;
  /** The end of the settled offsets that the ledger has forgotten; absent while it has forgotten none. */
  readonly floor?: Offset;
  readonly firstRecords: readonly FirstRecord[];
  readonly newestTimestamp?: EpochMs;
  readonly blockedRecords: ReadonlyMap<Offset, BlockedRecord>;
  readonly missingRecord?: MissingRecord;
  /**
   * Offsets that were left to the relay and are not settled yet. The relay writes dead letters only for these, and for pending
   * ones. Absent: none.
   */
  readonly abandoned?: OffsetRanges;
  /** Offsets that a replay halt refused. An operator decides about them. */
  readonly replayRefused: OffsetRanges;
  /** The newest timestamp among `replayRefused`, if it is newer than everything settled. The topic may be another one then. */
  readonly newestRefused?: EpochMs;
  /**
   * Decided by an operator: forgotten offsets below this are duplicates, unless the record is newer than everything settled.
   */
  readonly skipBelow?: Offset;
  /**
   * Decided by an operator: offsets below this run, forgotten or not. A record that is newer than everything settled shows a
   * recreated topic.
   */
  readonly runBelow?: Offset;
  /** Crash isolation: up to this offset one record runs at a time, and `running` is written before it starts. */
  readonly isolateUntil?: Offset;
  /** The record being tried in crash isolation. */
  readonly running?: RecordIdentity;
  /** A handler threw PauseError: nothing of the partition runs before this time. */
  readonly pausedUntil?: EpochMs;
  readonly consecutiveDeadLetters: number;
  /**
   * The consumer's limit of consecutive dead letters, for the relay and for operators, who do not know its options. Absent
   * where it is the default, to save bytes.
   */
  readonly maxConsecutiveDeadLetters?: number;
  /** The next call of `onBatch` gets one record, since the last call failed without naming a record. */
  readonly oneRecordPerCall?: boolean;
  /** Marked records with a place in a parked key that Kafka holds no more: each gets a letter without a value, and then leaves. */
  readonly goneMarks?: readonly BlockedRecord[];
}

/** Progress of a partition that was never claimed. */
export const FRESH_PROGRESS: Progress = {
  settled: NO_OFFSETS,
  pending: NO_OFFSETS,
  firstRecords: [],
  blockedRecords: new Map(),
  replayRefused: NO_OFFSETS,
  consecutiveDeadLetters: 0,
};

/** A claimed batch: who claimed it, and which offsets it has. */
export interface ClaimedBatch {
  readonly owner: string;
  readonly offsets: OffsetRanges;
  /**
   * The first record of the batch, until its invocation has written progress. The next invocation recognises a recreated topic
   * by it.
   */
  readonly first?: RecordIdentity;
}

/** The ledger's item of one partition. */
export interface PartitionItem {
  /** The fencing token. Each claim adds 1; it never gets lower. */
  readonly epoch: number;
  /** The revision. Each write adds 1. */
  readonly rev: number;
  /** The invocation that holds the partition; absent when released. */
  readonly owner?: string;
  readonly leaseUntil: EpochMs;
  /** Batches that were claimed since the last release. The last one is ours; any other belongs to a dead invocation. */
  readonly claims: readonly ClaimedBatch[];
  readonly progress: Progress;
  /** How many keys of the partition are parked; absent for none. */
  readonly parked?: number;
}

/**
 * The ledger's item of a parked key: a small partition whose offsets are the ordinals of what waits. It exists exactly while the
 * key is parked. Who parks writes what is here and `tail`, who releases the rest.
 */
export interface ParkedItem extends PartitionItem {
  readonly sequence: string;
  /** The highest ordinal that was given out. */
  readonly tail: number;
  readonly since: EpochMs;
  /** `orders-3@1042`: the record that parked the key. */
  readonly behind: string;
  /** Of the error that it was parked for. */
  readonly fingerprint: string;
  /** The first bytes of the key as base64, for people. */
  readonly key: string;
}
