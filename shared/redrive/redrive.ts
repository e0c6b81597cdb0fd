import { type Letter, type LetterMarker, markerRecord } from '../decide/letter.ts';
import {
  type LetterFilter,
  matches,
  type RedriveLimits,
  type RedriveRefusal,
  type RedriveTarget,
  redrivenRecord,
  refusalOf,
} from '../decide/redrive.ts';
import { LockstepError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { TransactionRecord, Transactions } from '../ports/transactions.ts';
import { positionName } from '../record/item-identifier.ts';
import { rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { indexLetters } from './index-letters.ts';
import type { IndexedLetter, OpenLetters } from './open-letters.ts';
import { type LetterSource, lettersAt, ownLetter } from './read-letters.ts';

/** Dead letters of one transaction, unless the rate asks for fewer. */
const SLICE_LETTERS = 250;
/** The records of a transaction for one partition are one batch for the broker, which by default takes 1 MiB. */
const SLICE_BYTES = 512 * 1024;
/** How often a failed transaction is started again, after the broker has committed it or rolled it back. */
const TRIES = 4;
/** The tag of a dead letter that is wanted and may return. Those that may not have other tags. */
const MAY_RETURN = 0;
const REFUSALS: readonly RedriveRefusal[] = ['maxRedrives', 'doubtful', 'expired', 'elsewhere'];
/** After this many refused dead letters in a row the broker counts as the cause, not the dead letters. */
const MOST_STOPPED_IN_A_ROW = 3;
/** The most dead letters that a report names. */
const MOST_NAMED = 100;

/** What a redrive should do. */
export interface RedriveOrder extends RedriveLimits {
  readonly filter: LetterFilter;
  /** `redrive`: the records return. `purge`: the dead letters count as done, and nothing returns. */
  readonly what: 'redrive' | 'purge';
  /** Only counts. */
  readonly dryRun: boolean;
  /** Records a second. @default as fast as it goes */
  readonly rate?: number;
  /** No transaction starts after this time; the next call does the rest. @default never */
  readonly stopAt?: EpochMs;
  /** Kept in the markers. */
  readonly by: string;
}

/** How far a redrive came. */
export interface RedriveReport {
  /** Dead letters that the order selects and that may return, when it began. */
  readonly selected: number;
  readonly done: number;
  readonly left: number;
  readonly refused: Readonly<Record<RedriveRefusal, number>>;
  /** Dead letters that the broker refuses. All others went on. At most a hundred are named. */
  readonly stopped: readonly StoppedLetter[];
  /** Only of a dry run: other groups that read the source topic; absent where they could not be listed. */
  readonly otherGroups?: readonly string[];
}

/** A dead letter that was left out, alone. */
export interface StoppedLetter {
  readonly id: string;
  /** For example `orders-3@1042`: where the record was first. */
  readonly origin: string;
  readonly why: string;
}

/** What a redrive needs. */
export interface RedrivePorts {
  readonly source: LetterSource;
  /** The topic to which records return. */
  readonly topic: string;
  readonly transactions: Transactions;
  readonly clock: Clock;
  /** Called after each transaction. */
  readonly onProgress?: (done: number, selected: number) => void;
  /** Stops the redrive after the current transaction. */
  readonly signal?: AbortSignal;
}

/** What is remembered over all tries. */
interface RedriveRun {
  done: number;
  /** How often the current transaction has failed. */
  tries: number;
  slice: readonly IndexedLetter[];
  /** The first place of the transaction that was sent last. */
  firstPlace: string;
  /** How many dead letters are sent one by one: one of a transaction that failed again and again is the cause. */
  alone: number;
  /** By place: why the broker refuses each dead letter that is left out. */
  readonly stopped: Map<string, StoppedLetter>;
  stoppedInARow: number;
}

/**
 * Writes the records of dead letters back, each once, in their original order, also when the redrive dies. The records and the
 * marker that closes their dead letters are one transaction, of a transactional id that excludes all other writers. The dead
 * letters are read after it has taken over. So a redrive that died goes on when it is started again. If the broker refuses a
 * transaction again and again, its dead letters are sent one by one, and the refused ones are left out and named.
 *
 * @throws LockstepError REDRIVE_FENCED, REDRIVE_FAILED, BROKER_UNREACHABLE; what was committed stays
 */
export async function redrive(order: RedriveOrder, ports: RedrivePorts): Promise<RedriveReport> {
  const run: RedriveRun = {
    done: 0,
    tries: 1,
    slice: [],
    firstPlace: '',
    alone: 0,
    stopped: new Map(),
    stoppedInARow: 0,
  };
  for (;;) {
    const before = run.done;
    try {
      const report = await redriveOnce(order, ports, run);
      return { ...report, done: run.done, selected: report.selected + before };
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'REDRIVE_FAILED') throw error;
      if (run.tries++ < TRIES) await ports.clock.sleep(200 * run.tries);
      else if (run.slice.length > 1) Object.assign(run, { alone: run.slice.length, tries: 1 });
      else if (run.slice.length === 0 || run.stoppedInARow >= MOST_STOPPED_IN_A_ROW) throw error;
      else await leaveOut(run, ports, error);
    }
  }
}

/** Only the one dead letter of the failed transaction is left out. */
async function leaveOut(run: RedriveRun, { source }: RedrivePorts, error: LockstepError): Promise<void> {
  const [place] = run.slice;
  if (place === undefined) throw error;
  const [letter] = await lettersAt(source, [place], ({ id, origin }) => ({ id, origin: positionName(origin) }));
  run.stopped.set(placeOf(place), { ...(letter ?? { id: '', origin: '' }), why: error.message });
  run.stoppedInARow++;
  run.tries = 1;
  run.alone = Math.max(0, run.alone - 1);
}

async function redriveOnce(order: RedriveOrder, ports: RedrivePorts, run: RedriveRun): Promise<RedriveReport> {
  const { source, transactions, clock, onProgress, signal } = ports;
  run.slice = [];
  if (!order.dryRun) await transactions.takeOver();
  const bounds = await source.log.bounds(ports.topic, source.giveUpAt);
  const partitions = new Set(bounds.map(({ partition }) => partition));
  const target = { topic: ports.topic, partitions, group: source.group };
  const { open, refused } = await select(order, source, target, run);
  if (order.dryRun) {
    const otherGroups = await otherGroupsOf(source, ports.topic);
    const counted = { selected: open.length, done: 0, left: open.length, refused, stopped: [] };
    return { ...counted, ...(otherGroups !== undefined && { otherGroups }) };
  }
  const before = run.done;
  let done = 0;
  onProgress?.(before, before + open.length);
  const startedAt = clock.now();
  while (done < open.length) {
    if (signal?.aborted || (order.stopAt !== undefined && clock.now() >= order.stopAt)) break;
    const size = run.alone > 0 ? 1 : Math.max(1, Math.min(SLICE_LETTERS, order.rate ?? SLICE_LETTERS));
    const slice = open.part(done, size, SLICE_BYTES);
    if (placeOf(slice[0]) !== run.firstPlace) run.tries = 1;
    run.firstPlace = placeOf(slice[0]);
    run.slice = slice;
    // Dead letters that are gone meanwhile have no record any more.
    const letters = order.what === 'purge' ? [] : await lettersAt(source, slice, ownLetter);
    await transactions.commit([
      ...letters.map((letter) => redrivenRecord(letter, target, source.secret)),
      ...markers(order, source, slice, clock.now()),
    ]);
    done += slice.length;
    run.done += slice.length;
    run.alone = Math.max(0, run.alone - slice.length);
    run.tries = 1;
    run.stoppedInARow = 0;
    onProgress?.(run.done, before + open.length);
    if (order.rate !== undefined && done < open.length) {
      await clock.sleep(Math.max(0, startedAt + (done / order.rate) * 1_000 - clock.now()), signal);
    }
  }
  const stopped = [...run.stopped.values()].slice(0, MOST_NAMED);
  return { selected: open.length + run.stopped.size, done, left: open.length - done, refused, stopped };
}

/** Other groups that read the source topic, as far as they may be listed. */
async function otherGroupsOf({ log, group, giveUpAt }: LetterSource, topic: string) {
  try {
    return (await log.groups(topic, giveUpAt)).filter((name) => name !== group).sort();
  } catch {
    // Not everyone may list groups. The redrive does not need it.
    return undefined;
  }
}

function placeOf(place: Place | undefined): string {
  return place === undefined ? '' : `${place.partition}@${place.offset}`;
}

/** The dead letters that are wanted and may return, in order, and how many may not. */
async function select(
  order: RedriveOrder,
  source: LetterSource,
  target: RedriveTarget,
  { stopped }: RedriveRun,
): Promise<{ readonly open: OpenLetters; readonly refused: RedriveReport['refused'] }> {
  const index = await indexLetters(source, (letter) =>
    stopped.has(placeOf(letter)) ? -1 : tagOf(letter, order, target),
  );
  const meant = index.open();
  const refused = (tag: number) => meant.tagged(tag).length;
  return {
    open: meant.tagged(MAY_RETURN),
    refused: { maxRedrives: refused(1), doubtful: refused(2), expired: refused(3), elsewhere: refused(4) },
  };
}

function tagOf(letter: Letter, order: RedriveOrder, target: RedriveTarget): number {
  if (!matches(letter, order.filter)) return -1;
  if (order.what === 'purge') return MAY_RETURN;
  const refusal = refusalOf(letter, order, target);
  return refusal === undefined ? MAY_RETURN : REFUSALS.indexOf(refusal) + 1;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

function markers(
  { what, by }: RedriveOrder,
  source: LetterSource,
  letters: readonly Place[],
  at: EpochMs,
): TransactionRecord[] {
  return [...Map.groupBy(letters, ({ partition }) => partition)].map(([partition, some]) => {
    const offsets = rangesOf(some.map(({ offset }) => offset).sort((a, b) => a - b));
    const marker: LetterMarker = { what: what === 'redrive' ? 'redriven' : 'purged', offsets, at, by };
    return { topic: source.deadLetterTopic, partition, ...markerRecord(marker, source, partition) };
  });
}
