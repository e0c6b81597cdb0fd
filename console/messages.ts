import type { AlarmState } from '../cli/alarm-states.ts';
import type { ConsumerStatus, PartitionStatus } from '../cli/consumer-state.ts';
import type { ParkedLine } from '../cli/parked-keys.ts';
import type { LetterLine, OperatorAnswers } from '../shared/operator/answers.ts';

/** Letters in a list. A group that has more is narrowed down with the command. */
export const MOST_LETTERS = 1_000;

/** What went wrong, where it went wrong. */
export interface Said {
  readonly code: string;
  readonly message: string;
}

/** A try of the record that blocks a partition, as a look saw it. */
export interface SeenTry {
  /** Milliseconds since 1970: when the look saw it. */
  readonly at: number;
  readonly attempts: number;
  readonly error?: string;
}

/** A partition, and what the looks have seen of its first blocked record. */
export interface PartitionView extends PartitionStatus {
  /** For example `orders-3`. */
  readonly name: string;
  /** Its first blocked record, for example `orders-3@1042`. */
  readonly record?: string;
  readonly isStuck: boolean;
  /** Blocked records beyond those that are sent. */
  readonly moreBlocked: number;
  readonly tries: readonly SeenTry[];
}

/** A consumer at one look: its state, or why it could not be read. */
export interface ConsumerView {
  readonly name: string;
  readonly topic: string;
  /** As a command names it: `--stack Prod --consumer Orders`. */
  readonly commandTarget: string;
  readonly status?: Omit<ConsumerStatus, 'partitions'> & { readonly partitions: readonly PartitionView[] };
  readonly isStuck: boolean;
  readonly lag: number;
  readonly parked: number;
  /** Records a second since the look before. */
  readonly perSecond?: number;
  readonly error?: Said;
  readonly alarms: readonly AlarmState[];
  /** Why the alarms could not be read. */
  readonly alarmsError?: Said;
}

/** One look at everything. `error`: the target itself cannot be read. */
export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly consumers: readonly ConsumerView[];
  readonly error?: Said;
}

/** A point of a consumer's plots. */
export interface Point {
  readonly at: number;
  readonly lag: number;
  readonly perSecond: number | null;
}

/** Points by consumer. */
export type Points = Readonly<Record<string, readonly Point[]>>;

/** A change that was told, runs, or has ended. */
export interface RunView {
  readonly id: string;
  readonly lever: string;
  readonly consumer: string;
  /** What it will do, in sentences. */
  readonly says: readonly string[];
  readonly isEmpty: boolean;
  /** The equal command, without its reason. */
  readonly command: string;
  /** The ledger keeps a reason. */
  readonly needsWhy: boolean;
  /** Must be typed before it runs: something is given up. */
  readonly typed?: string;
  readonly state: 'told' | 'running' | 'stopping' | 'done' | 'unfinished' | 'failed';
  readonly done?: number;
  readonly total?: number;
  /** How it ended. */
  readonly text?: string;
  readonly error?: Said;
}

/** The first message of a live connection. */
export interface Hello {
  readonly readOnly: boolean;
  readonly noValues: boolean;
  /** What the console looks at: `--local` or `--stack Prod`. */
  readonly target: string;
  readonly look: Look | null;
  readonly points: Points;
  readonly runs: readonly RunView[];
}

/** Messages of a live connection, by the name of their event. */
export interface LiveMessages {
  readonly hello: Hello;
  readonly look: Look;
  readonly run: RunView;
}

/** A dead letter without its value. */
export type LetterView = Omit<NonNullable<OperatorAnswers['letter']['letter']>, 'value'>;

/** A value, as far as it is shown. */
export interface ValueView {
  readonly form: 'none' | 'json' | 'text' | 'hex';
  readonly text: string;
  readonly bytes: number;
  /** Bytes that are not shown. */
  readonly cut: number;
}

/** What the page asks for, by path. */
export interface Answers {
  readonly groups: OperatorAnswers['groups'];
  readonly letters: {
    readonly letters: readonly LetterLine[];
    readonly total: number;
    readonly foreign: number;
  };
  readonly letter: LetterView;
  readonly value: ValueView;
  readonly parked: readonly ParkedLine[];
  readonly sequence: OperatorAnswers['parkedLetters'];
  readonly runbook: Readonly<Record<string, string>>;
}
