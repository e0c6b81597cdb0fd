import type { OffsetRanges } from '../record/offset-ranges.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';

/** Says which record stands at an offset: a recreated topic has another one there. */
export interface RecordIdentity {
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  /** Hash of the value as delivered; lazily computed, so read it last. Empty where only the broker's bytes are known and the mapping decodes values. */
  readonly valueHash: string;
}

/** The first record of a batch that was claimed, to recognise a recreated topic by. */
export type FirstRecord = RecordIdentity;

/** A record that is not settled and has something to remember: tries, a back-off, a letter under way. */
export interface BlockedRecord extends RecordIdentity {
  /** Hash of the record's key in key order, else absent. */
  readonly keyHash?: string;
  /** Runs of the record handler that ended in an error. */
  readonly attempts: number;
  /** Runs of the record handler that never ended. */
  readonly interruptions: number;
  /** A letter is due or may be out: the record handler never sees this record again. */
  readonly exhausted: boolean;
  /** What its letter says where it parks or is of a parked key: never another, whatever becomes of the parked key. */
  readonly parked?: ParkedPlace;
  /** Of a parked record: releases that began with it. */
  readonly rounds?: number;
  readonly firstFailedAt?: EpochMs;
  /** Not started before this time. */
  readonly notBefore?: EpochMs;
  /** What the last error looked like, ids and numbers stripped. */
  readonly fingerprint?: string;
  /** The last error, kept so that the letter of an interrupted or repeated publication can name it. */
  readonly error?: ErrorSummary;
}

/** A record's place among those of its parked key. */
export interface ParkedPlace {
  /** Another one each time that a key parks. */
  readonly sequence: string;
  /** Counts from 1. */
  readonly ordinal: number;
}

/** What of an error goes into a blocked record and a letter; already redacted and cut. */
export interface ErrorSummary {
  readonly name: string;
  readonly text: string;
  readonly stage: Stage;
}

/** Where a record failed. */
export type Stage = 'decode' | 'validate' | 'idempotency' | 'handler' | 'interrupted' | 'unattempted' | 'parked';

/** The pending offset that is waited for. */
export interface MissingRecord {
  readonly offset: Offset;
  readonly since: EpochMs;
  /** Batches seen beyond it after `missingRecordTimeoutMs` was over. */
  readonly laterBatches: number;
}

/** All that the ledger remembers of a partition but who holds it. Immutable. docs/architecture.md. */
export interface Progress {
  /** Settled offsets; holes between batches included as they were settled, so a gap inside a batch is settled too. */
  readonly settled: OffsetRanges;
  /** Reported back to the mapping and not settled: must come back before anything beyond. */
  readonly pending: OffsetRanges;
  /** Absent until something settled was forgotten, then the end of what was forgotten. */
  readonly floor?: Offset;
  readonly firstRecords: readonly FirstRecord[];
  readonly newestTimestamp?: EpochMs;
  readonly blockedRecords: ReadonlyMap<Offset, BlockedRecord>;
  readonly missingRecord?: MissingRecord;
  /** Given up to the relay, which has yet to settle it: of this, and of what is pending, the relay writes dead letters. Absent: nothing. */
  readonly abandoned?: OffsetRanges;
  /** What a replay halt refused; an operator decides about it. */
  readonly replayRefused: OffsetRanges;
  /** The newest time among `replayRefused`, where it is newer than all that settled: then the topic may be another one. */
  readonly newestRefused?: EpochMs;
  /** An operator's word: what is before memory and below this is a duplicate, unless it is newer than all that settled. */
  readonly skipBelow?: Offset;
  /** An operator's word: what is below this runs, before memory or not. What is newer than all that settled shows a later topic. */
  readonly runBelow?: Offset;
  /** Crash isolation: one record at a time, `running` written ahead, up to this offset. */
  readonly isolateUntil?: Offset;
  /** The record being tried in crash isolation. */
  readonly running?: RecordIdentity;
  /** The partition stands still until then: a handler threw PauseError. */
  readonly pausedUntil?: EpochMs;
  readonly consecutiveDeadLetters: number;
  /** The consumer's limit of them, for the relay and for operators, who know nothing of its handler; absent where it is the default, so that it costs no bytes. */
  readonly maxConsecutiveDeadLetters?: number;
  /** The next try hands one record to `onBatch`: the last one failed without naming a record. */
  readonly oneRecordPerCall?: boolean;
  /** Marked records with a place in a parked key that Kafka holds no more: each gets a letter without a value, and then leaves. */
  readonly goneMarks?: readonly BlockedRecord[];
}

/** Progress of a partition that nobody ever claimed. */
export const FRESH_PROGRESS: Progress = {
  settled: NO_OFFSETS,
  pending: NO_OFFSETS,
  firstRecords: [],
  blockedRecords: new Map(),
  replayRefused: NO_OFFSETS,
  consecutiveDeadLetters: 0,
};

/** A batch that was claimed: by whom, and which offsets were delivered to it. */
export interface ClaimedBatch {
  readonly owner: string;
  readonly offsets: OffsetRanges;
  /** The first record of the batch, until its invocation has written what it made of it: whoever finds it dead judges by this. */
  readonly first?: RecordIdentity;
}

/** The ledger's item of one partition. */
export interface PartitionItem {
  /** Fencing token: +1 with each claim, never lowered. */
  readonly epoch: number;
  /** +1 with each write. */
  readonly rev: number;
  /** The invocation that holds the partition; absent when released. */
  readonly owner?: string;
  readonly leaseUntil: EpochMs;
  /** Batches claimed since the last release: ours last, any other is a dead invocation's. */
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
