import type { OffsetRanges } from '../record/offset-ranges.ts';
import type { LetterCursor } from '../redrive/open-letters.ts';
import type { RedriveReport } from '../redrive/redrive.ts';
import type { ReleasedKey } from '../release/ask-release.ts';

/** A partition of the source topic, as Kafka has it. */
export interface SourcePartition {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** The group's committed offset; absent where it has none. */
  readonly committed?: number;
}

/** Open dead letters with one cause. */
export interface LetterGroup {
  readonly fingerprint: string;
  readonly errorName: string;
  readonly stage: string;
  /** The message of the first dead letter in the original order. */
  readonly exampleMessage: string;
  readonly exampleId: string;
  readonly count: number;
  /** ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Letters in equal parts of the time from the first to the last of all causes; absent from an older operator function. */
  readonly slots?: readonly number[];
}

/** A dead letter in a list. */
export interface LetterLine {
  readonly id: string;
  /** For example `orders-3@1042`: where the record was first. */
  readonly origin: string;
  readonly key: string | null;
  readonly errorName: string;
  readonly errorMessage: string;
  readonly fingerprint: string;
  readonly stage: string;
  readonly disposition: string;
  readonly attempts: number;
  readonly interruptions: number;
  readonly deadLetteredAt: string;
  readonly redriveCount: number;
  readonly doubtful: boolean;
  readonly valueBytes: number;
}

/** The letter of a parked record. */
export interface ParkedLetterLine extends LetterLine {
  readonly ordinal: number;
}

/** Everything about a dead letter. Texts are UTF-8. Bytes that are not UTF-8 are shown as base64. */
export interface LetterDetail extends LetterLine {
  readonly value: string | null;
  readonly timestamp: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** A record on the dead-letter topic that Lockstep did not write for this group, whatever it says. */
export interface ForeignRecord {
  /** For example `orders-dead-letters-0@17`. */
  readonly position: string;
  readonly claims: 'a letter' | 'a marker' | 'nothing';
  /** The id that the record claims to have. */
  readonly id: string;
  readonly timestamp: string;
  readonly bytes: number;
}

/** A record as Kafka holds it: its bytes as base64. */
export interface ExactRecord {
  /** For example `orders-3@1042`. */
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Answers, by the type of the request. */
export interface OperatorAnswers {
  /**
   * `letters`: offsets of the dead-letter topic. `openLetters`: the open ones, if the request wants them counted and they are
   * few enough for that.
   */
  readonly topics: {
    readonly partitions: readonly SourcePartition[];
    readonly letters: number;
    readonly openLetters?: number;
  };
  /** `causes`: the number of causes. `groups` has the most frequent ones. */
  readonly groups: {
    readonly groups: readonly LetterGroup[];
    readonly causes: number;
    readonly letters: number;
    readonly read: number;
    /** Records that are not ours. A request of type `foreign` lists them. */
    readonly foreign: number;
  };
  /** `next`: where the next page starts; absent when the limit or the end is reached. */
  readonly letters: {
    readonly letters: readonly LetterLine[];
    readonly total: number;
    readonly foreign: number;
    readonly next?: LetterCursor;
  };
  readonly foreign: { readonly records: readonly ForeignRecord[]; readonly total: number };
  readonly release: ReleasedKey;
  /** Ordinals of a park whose letters are on the dead-letter topic; the first of the letters, if the request wants lines. */
  readonly parkedLetters: { readonly ordinals: OffsetRanges; readonly letters?: readonly ParkedLetterLine[] };
  readonly letter: { readonly letter: LetterDetail | null };
  /**
   * The wanted record is the last one. `isComplete`: there are as many before it as wanted. `missing`: why there is no record.
   * `takenFrom`: its topic does not hold it any more, so the bytes are those of its dead letter.
   */
  readonly records: {
    readonly records: readonly ExactRecord[];
    readonly isComplete: boolean;
    readonly missing?: 'letter' | 'expired' | 'absent';
    readonly takenFrom?: 'letter';
    readonly cause?: { readonly id: string; readonly errorName: string; readonly fingerprint: string };
  };
  readonly redrive: RedriveReport;
  readonly purge: RedriveReport;
  /** `next`: where to go on; absent when the range is done. */
  readonly replay: { readonly records: number; readonly next?: number };
}
