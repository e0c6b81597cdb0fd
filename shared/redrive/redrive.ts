import { type Letter, type LetterMarker, markerRecord } from '../decide/letter.ts';
import {
  type LetterFilter,
  matches,
  type RedriveLimits,
  type RedriveRefusal,
  redrivenRecord,
  refusalOf,
} from '../decide/redrive.ts';
import { LockstepError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { TransactionRecord, Transactions } from '../ports/transactions.ts';
import { rangesOf } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import { indexLetters } from './index-letters.ts';
import type { OpenLetters } from './open-letters.ts';
import { type LetterSource, lettersAt, ownLetter } from './read-letters.ts';

/** Letters of one transaction, unless the rate asks for fewer. */
const SLICE_LETTERS = 250;
/** A transaction's records for one partition are one batch for the broker, which takes a MiB of it unless told otherwise. */
const SLICE_BYTES = 512 * 1024;
/** How often a slice that failed is begun anew, after the broker has decided its fate. */
const TRIES = 4;
/** A letter that is meant, and may return; what may not has a number of its own. */
const MAY_RETURN = 0;
const REFUSALS: readonly RedriveRefusal[] = ['maxRedrives', 'doubtful', 'expired'];

/** What a redrive does. */
export interface RedriveOrder extends RedriveLimits {
  readonly filter: LetterFilter;
  /** `redrive`: the records return; `purge`: the letters count as done, nothing returns. */
  readonly what: 'redrive' | 'purge';
  /** Only counts. */
  readonly dryRun: boolean;
  /** Records a second. @default as fast as it goes */
  readonly rate?: number;
  /** No slice starts after this; what is left is for the next call. @default never */
  readonly stopAt?: EpochMs;
  /** Kept in the markers. */
  readonly by: string;
}

/** How far it came. */
export interface RedriveReport {
  /** Letters that the order meant and that may return, when it began. */
  readonly selected: number;
  readonly done: number;
  readonly left: number;
  readonly refused: Readonly<Record<RedriveRefusal, number>>;
}

/** What a redrive needs. */
export interface RedrivePorts {
  readonly source: LetterSource;
  readonly transactions: Transactions;
  readonly clock: Clock;
  /** Called after each slice. */
  readonly onProgress?: (done: number, selected: number) => void;
  /** Stops it after the slice under way. */
  readonly signal?: AbortSignal;
}

/**
 * Sends the records of letters back, each once, in their original order, whatever crashes on the way: the records of a slice and
 * the marker that closes their letters are one transaction of a writer whose name excludes all others, and the letters are read
 * after it has taken over. So a redrive that died is taken up by starting it again.
 *
 * @throws LockstepError REDRIVE_FENCED, REDRIVE_FAILED, BROKER_UNREACHABLE; what was committed stays
 */
export async function redrive(order: RedriveOrder, ports: RedrivePorts): Promise<RedriveReport> {
  let done = 0;
  for (let tries = 1; ; tries++) {
    const onSlice = (letters: number) => {
      done += letters;
      tries = 1;
    };
    try {
      const report = await redriveOnce(order, ports, done, onSlice);
      return { ...report, done, selected: report.selected + done - report.done };
    } catch (error) {
      const isWorthAnother = error instanceof LockstepError && error.code === 'REDRIVE_FAILED';
      if (!isWorthAnother || tries >= TRIES) throw error;
      await ports.clock.sleep(200 * tries);
    }
  }
}

async function redriveOnce(
  order: RedriveOrder,
  ports: RedrivePorts,
  before: number,
  onSlice: (letters: number) => void,
): Promise<RedriveReport> {
  const { source, transactions, clock, onProgress, signal } = ports;
  if (!order.dryRun) await transactions.takeOver();
  const { open, refused } = await select(order, source);
  let done = 0;
  if (order.dryRun) return { selected: open.length, done, left: open.length, refused };
  onProgress?.(before, before + open.length);
  const size = Math.max(1, Math.min(SLICE_LETTERS, order.rate ?? SLICE_LETTERS));
  const startedAt = clock.now();
  while (done < open.length) {
    if (signal?.aborted || (order.stopAt !== undefined && clock.now() >= order.stopAt)) break;
    const slice = open.part(done, size, SLICE_BYTES);
    // What is gone meanwhile has no record any more.
    const letters = order.what === 'purge' ? [] : await lettersAt(source, slice, ownLetter);
    await transactions.commit([
      ...letters.map(redrivenRecord),
      ...markers(order, source.deadLetterTopic, slice, clock.now()),
    ]);
    done += slice.length;
    onSlice(slice.length);
    onProgress?.(before + done, before + open.length);
    if (order.rate !== undefined && done < open.length) {
      await clock.sleep(Math.max(0, startedAt + (done / order.rate) * 1_000 - clock.now()), signal);
    }
  }
  return { selected: open.length, done, left: open.length - done, refused };
}

/** The letters that are meant and may return, in order, and how many may not. */
async function select(
  order: RedriveOrder,
  source: LetterSource,
): Promise<{ readonly open: OpenLetters; readonly refused: RedriveReport['refused'] }> {
  const index = await indexLetters(source, (letter) => tagOf(letter, order));
  const meant = index.open();
  const refused = (tag: number) => meant.tagged(tag).length;
  return {
    open: meant.tagged(MAY_RETURN),
    refused: { maxRedrives: refused(1), doubtful: refused(2), expired: refused(3) },
  };
}

function tagOf(letter: Letter, order: RedriveOrder): number {
  if (!matches(letter, order.filter)) return -1;
  if (order.what === 'purge') return MAY_RETURN;
  const refusal = refusalOf(letter, order);
  return refusal === undefined ? MAY_RETURN : REFUSALS.indexOf(refusal) + 1;
}

interface Place {
  readonly partition: number;
  readonly offset: number;
}

function markers(
  { what, by }: RedriveOrder,
  topic: string,
  letters: readonly Place[],
  at: EpochMs,
): TransactionRecord[] {
  return [...Map.groupBy(letters, ({ partition }) => partition)].map(([partition, some]) => {
    const offsets = rangesOf(some.map(({ offset }) => offset).sort((a, b) => a - b));
    const marker: LetterMarker = { what: what === 'redrive' ? 'redriven' : 'purged', offsets, at, by };
    return { topic, partition, ...markerRecord(marker) };
  });
}
