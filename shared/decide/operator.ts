import { assertNever } from '../assert-never.ts';
import {
  countOffsets,
  highest,
  includesOffset,
  NO_OFFSETS,
  type OffsetRanges,
  rangesOf,
  subtract,
  union,
} from '../record/offset-ranges.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { describeOffsets } from './claim.ts';
import type { Progress, RecordIdentity } from './progress.ts';
import { stopWaiting } from './relay.ts';
import { resetCounts } from './retry-policy.ts';
import { settle } from './settle.ts';

/** What an operator may decide about a partition. */
export type OperatorChange =
  /** The record at `offset` needs no more work, handled or not. */
  | { readonly type: 'skip'; readonly offset: Offset }
  /** The ledger forgets the partition: every record that is delivered runs. */
  | { readonly type: 'reset' }
  /** The records that a replay halt refused count as duplicates. */
  | { readonly type: 'acceptAsDuplicates' }
  /** The records that a replay halt refused run again. */
  | { readonly type: 'acceptToRun' }
  /** Dead letters may be written again. */
  | { readonly type: 'closeBreaker' }
  /** The pause that a handler asked for ends now. */
  | { readonly type: 'liftPause' };

/** The result of a change. `text`: what the change does, shown to people before it is made. */
export type DecidedChange =
  | { readonly type: 'change'; readonly progress: Progress; readonly text: string }
  | { readonly type: 'refused'; readonly why: string };

/** Applies an operator's decision to a partition's progress, under a claim of its own. docs/architecture.md. */
export function decideChange(progress: Progress, change: OperatorChange, now: EpochMs): DecidedChange {
  const { abandoned } = progress;
  switch (change.type) {
    case 'skip':
      return skip(progress, change.offset, now);
    case 'reset':
      return {
        type: 'change',
        // The mapping never sends again what is left to the relay.
        progress: { ...resetCounts(progress), ...(abandoned !== undefined && { abandoned }) },
        text: `forgets ${countOffsets(progress.settled)} settled offsets, ${progress.blockedRecords.size} blocked records and ${countOffsets(progress.pending)} pending offsets; records that Lambda delivers then run, even if they ran before`,
      };
    case 'acceptAsDuplicates':
    case 'acceptToRun':
      return acceptReplay(progress, change.type, now);
    case 'closeBreaker':
      if (progress.consecutiveDeadLetters === 0)
        return { type: 'refused', why: 'no consecutive dead letters are counted: the flood breaker is closed' };
      return {
        type: 'change',
        progress: { ...progress, consecutiveDeadLetters: 0 },
        text: `counts consecutive dead letters from 0 again, instead of from ${progress.consecutiveDeadLetters}: exhausted records get dead letters`,
      };
    case 'liftPause':
      return liftPause(progress, now);
    default:
      return assertNever(change);
  }
}

function liftPause({ pausedUntil = 0, ...progress }: Progress, now: EpochMs): DecidedChange {
  if (pausedUntil <= now) return { type: 'refused', why: 'it is not paused' };
  const date = new Date(pausedUntil);
  const until = Number.isNaN(date.getTime()) ? String(pausedUntil) : date.toISOString();
  return { type: 'change', progress, text: `ends the pause until ${until}: records are tried again` };
}

function skip(progress: Progress, offset: Offset, now: EpochMs): DecidedChange {
  const { blockedRecords, pending, settled } = progress;
  const blocked = blockedRecords.get(offset);
  if (includesOffset(settled, offset)) return { type: 'refused', why: `offset ${offset} is settled already` };
  if (blocked === undefined && !includesOffset(pending, offset)) {
    const known =
      blockedRecords.size > 0
        ? `blocked records are at ${[...blockedRecords.keys()].join(', ')}`
        : 'there is no blocked record';
    return { type: 'refused', why: `offset ${offset} blocks nothing: ${known}, pending ${describeOffsets(pending)}` };
  }
  if (blocked?.parked !== undefined)
    return {
      type: 'refused',
      why: `the record at offset ${offset} is on its way to its parked key, where others may wait behind it: drop it there`,
    };
  const record = blocked ?? { offset, timestamp: progress.newestTimestamp ?? now };
  const tried =
    blocked === undefined ? 'never tried' : `${blocked.attempts} attempts, ${blocked.interruptions} interruptions`;
  const { running, ...rest } = settle(progress, { record, from: offset, firstOfBatch: false, outcome: 'duplicate' });
  return {
    type: 'change',
    progress: stopWaiting(running === undefined || running.offset === offset ? rest : { ...rest, running }),
    text: `settles offset ${offset} (${tried}) without handling it and without a dead letter`,
  };
}

function acceptReplay(progress: Progress, how: 'acceptAsDuplicates' | 'acceptToRun', now: EpochMs): DecidedChange {
  const { newestRefused, ...halted } = progress;
  const { replayRefused, floor = 0, settled, pending, newestTimestamp } = halted;
  const last = highest(replayRefused);
  if (last === undefined) return { type: 'refused', why: 'no replay is halted' };
  // Kept as a bound, not as ranges: the ledger would forget ranges again.
  const below = Math.max(floor, last + 1);
  const cleared = { ...withoutHashes(halted, replayRefused), replayRefused: NO_OFFSETS };
  if (how === 'acceptAsDuplicates')
    return {
      type: 'change',
      progress: {
        ...cleared,
        skipBelow: below,
        settled: union(settled, unclearSettled(progress)),
        // The operator was told that the records are newer than everything settled, and calls them duplicates. That covers all
        // records written until now.
        ...(newestRefused !== undefined && { newestTimestamp: Math.max(newestTimestamp ?? 0, newestRefused, now) }),
      },
      text: `takes records below offset ${below} that the ledger has forgotten as duplicates (refused so far: ${describeOffsets(replayRefused)})`,
    };
  return {
    type: 'change',
    progress: { ...cleared, runBelow: below, pending: subtract(union(pending, replayRefused), settled) },
    text: `runs ${describeOffsets(replayRefused)} again, and all other unknown records below ${below}`,
  };
}

/** The operator has said which records are at these offsets. Their value does not tell a recreated topic any more. */
function withoutHashes(progress: Progress, offsets: OffsetRanges): Progress {
  const known = <R extends RecordIdentity>(record: R): R =>
    includesOffset(offsets, record.offset) ? { ...record, valueHash: '' } : record;
  return {
    ...progress,
    firstRecords: progress.firstRecords.map(known),
    blockedRecords: new Map([...progress.blockedRecords].map(([offset, blocked]) => [offset, known(blocked)])),
  };
}

/** Records that had settled before another value came back at their offset. A first record that is not settled is pending. */
function unclearSettled({ firstRecords, replayRefused, pending }: Progress): OffsetRanges {
  const offsets = firstRecords.map(({ offset }) => offset).filter((offset) => includesOffset(replayRefused, offset));
  return subtract(rangesOf(offsets), pending);
}
