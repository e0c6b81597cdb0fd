import type { LetterCursor } from '../redrive/open-letters.ts';
import type { RedriveReport } from '../redrive/redrive.ts';

/** A partition of the source, as Kafka sees it. */
export interface SourcePartition {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** What the group has committed; absent where it has committed nothing. */
  readonly committed?: number;
}

/** Open letters of one cause. */
export interface LetterGroup {
  readonly fingerprint: string;
  readonly errorName: string;
  readonly stage: string;
  /** Of the first letter in the original order. */
  readonly exampleMessage: string;
  readonly exampleId: string;
  readonly count: number;
  /** ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** A letter in a list. */
export interface LetterLine {
  readonly id: string;
  /** As `orders-3@1042`: where the record was first. */
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

/** All of a letter. Texts are UTF-8; bytes that are none are shown as base64. */
export interface LetterDetail extends LetterLine {
  readonly value: string | null;
  readonly timestamp: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** A record of the dead-letter topic that Lockstep did not write for this group, whatever it says. */
export interface ForeignRecord {
  /** As `orders-dead-letters-0@17`. */
  readonly position: string;
  readonly claims: 'a letter' | 'a marker' | 'nothing';
  /** What it calls itself. */
  readonly id: string;
  readonly timestamp: string;
  readonly bytes: number;
}

/** Answers, by the type of the request. */
export interface OperatorAnswers {
  /** `letters`: offsets of the dead-letter topic; `openLetters`: where they were to be counted, and are few enough for that. */
  readonly topics: {
    readonly partitions: readonly SourcePartition[];
    readonly letters: number;
    readonly openLetters?: number;
  };
  /** `causes`: how many there are; `groups` holds the most frequent of them. */
  readonly groups: {
    readonly groups: readonly LetterGroup[];
    readonly causes: number;
    readonly letters: number;
    readonly read: number;
    /** Records that are none of ours: a request of type `foreign` lists them. */
    readonly foreign: number;
  };
  /** `next`: where the next page goes on; absent when the limit or the end is reached. */
  readonly letters: {
    readonly letters: readonly LetterLine[];
    readonly total: number;
    readonly foreign: number;
    readonly next?: LetterCursor;
  };
  readonly foreign: { readonly records: readonly ForeignRecord[]; readonly total: number };
  readonly letter: { readonly letter: LetterDetail | null };
  readonly redrive: RedriveReport;
  readonly purge: RedriveReport;
  /** `next`: where to go on; absent when the span is done. */
  readonly replay: { readonly records: number; readonly next?: number };
}
