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
  /** The ledger forgets the partition: whatever is delivered runs. */
  | { readonly type: 'reset' }
  /** What a replay halt refused is taken as duplicates. */
  | { readonly type: 'acceptAsDuplicates' }
  /** What a replay halt refused runs again. */
  | { readonly type: 'acceptToRun' }
  /** Letters may be written again. */
  | { readonly type: 'closeBreaker' }
  /** The pause that a handler asked for ends now. */
  | { readonly type: 'liftPause' };

/** What a change comes to. `text`: what it does, for people, before it is done. */
export type DecidedChange =
  | { readonly type: 'change'; readonly progress: Progress; readonly text: string }
  | { readonly type: 'refused'; readonly why: string };

/** What an operator's word makes of a partition's progress, in a claim of its own. docs/architecture.md. */
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
        text: `forgets ${countOffsets(progress.settled)} settled offsets, ${progress.blockedRecords.size} blocked records and ${countOffsets(progress.pending)} pending offsets; what Lambda delivers then runs, again if it ran before`,
      };
    case 'acceptAsDuplicates':
    case 'acceptToRun':
      return acceptReplay(progress, change.type, now);
    case 'closeBreaker':
      if (progress.consecutiveDeadLetters === 0)
        return { type: 'refused', why: 'no dead letters in a row are counted: the flood breaker is closed' };
      return {
        type: 'change',
        progress: { ...progress, consecutiveDeadLetters: 0 },
        text: `counts dead letters in a row from 0 again, instead of from ${progress.consecutiveDeadLetters}: exhausted records get letters`,
      };
    case 'liftPause':
      return liftPause(progress, now);
    default:
      return assertNever(change);
  }
}

function liftPause({ pausedUntil, ...progress }: Progress, now: EpochMs): DecidedChange {
  if (pausedUntil === undefined || pausedUntil <= now) return { type: 'refused', why: 'it is not paused' };
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
  const timestamp = progress.newestTimestamp ?? now;
  const record = blocked ?? { offset, timestamp, valueHash: '' };
  const tried =
    blocked === undefined ? 'never tried' : `${blocked.attempts} attempts, ${blocked.interruptions} interruptions`;
  const { running, ...rest } = settle(progress, { record, from: offset, mark: false, outcome: 'duplicate' });
  return {
    type: 'change',
    progress: stopWaiting(running === undefined || running.offset === offset ? rest : { ...rest, running }),
    text: `settles offset ${offset} (${tried}) without handling it and without a letter`,
  };
}

function acceptReplay(progress: Progress, how: 'acceptAsDuplicates' | 'acceptToRun', now: EpochMs): DecidedChange {
  const { newestRefused, ...halted } = progress;
  const { replayRefused, floor = 0, settled, pending, newestTimestamp } = halted;
  const last = highest(replayRefused);
  if (last === undefined) return { type: 'refused', why: 'no replay is halted: nothing stands' };
  // A verdict that stays, not ranges: those would be forgotten again.
  const below = Math.max(floor, last + 1);
  const cleared = { ...told(halted, replayRefused), replayRefused: NO_OFFSETS };
  if (how === 'acceptAsDuplicates')
    return {
      type: 'change',
      progress: {
        ...cleared,
        skipBelow: below,
        settled: union(settled, unclearSettled(progress)),
        // Who is told that records are newer than all that settled, and calls them duplicates, means those written until now.
        ...(newestRefused !== undefined && { newestTimestamp: Math.max(newestTimestamp ?? 0, newestRefused, now) }),
      },
      text: `takes what the ledger has forgotten below ${below} as duplicates (refused so far: ${describeOffsets(replayRefused)})`,
    };
  return {
    type: 'change',
    progress: { ...cleared, runBelow: below, pending: subtract(union(pending, replayRefused), settled) },
    text: `runs ${describeOffsets(replayRefused)} again, and whatever else is unknown below ${below}`,
  };
}

/** Whatever stands at these offsets is what the operator says it is: its value no longer tells it from another record. */
function told(progress: Progress, offsets: OffsetRanges): Progress {
  const known = <R extends RecordIdentity>(record: R): R =>
    includesOffset(offsets, record.offset) ? { ...record, valueHash: '' } : record;
  return {
    ...progress,
    firstRecords: progress.firstRecords.map(known),
    blockedRecords: new Map([...progress.blockedRecords].map(([offset, blocked]) => [offset, known(blocked)])),
  };
}

/** Records that had settled when another value came back in their place: a first record that is not settled is pending. */
function unclearSettled({ firstRecords, replayRefused, pending }: Progress): OffsetRanges {
  const offsets = firstRecords.map(({ offset }) => offset).filter((offset) => includesOffset(replayRefused, offset));
  return subtract(rangesOf(offsets), pending);
}
