import { settledOrdinal } from '../decide/parking.ts';
import type { ParkedItem } from '../decide/progress.ts';
import { dropUpTo } from '../decide/release.ts';
import { type Writer, writeFate } from '../decide/write-fate.ts';
import type { WriteAnswer } from '../ports/ledger-store.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { Ports } from '../runtime/consumer.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { repeat } from '../runtime/repeat.ts';
import type { TransactAction } from '../transact-action.ts';
import { claimParked, type ParkedPlace } from './claim-parked.ts';

const POLICY = { leaseMs: 15_000, busyWaitMs: 2_000 };

/** What giving up on parked records needs. */
export type DropPorts = Pick<Ports, 'ledger' | 'parkedKeys' | 'clock' | 'entropy'>;

/** How a drop ended. `refused`: the key or its partition is held, is free, or was parked anew; nothing was dropped. */
export type Dropped =
  | { readonly type: 'dropped'; readonly freed: boolean; readonly left: number }
  | { readonly type: 'refused'; readonly why: 'busy' | 'notParked' | 'lost' };

/**
 * Gives up on the records of a parked key up to an ordinal, never on what has come since that was shown. The key is free when
 * nothing is left. Up to 0 it drops nothing, and frees a key in which nothing waits any more.
 *
 * @param effects - kept in the same write
 */
export async function dropParked(
  place: ParkedPlace,
  upTo: number,
  ports: DropPorts,
  invocation: Pick<Invocation, 'plan'>,
  effects: (item: ParkedItem) => readonly TransactAction[] = () => [],
): Promise<Dropped> {
  const { ledger, clock, entropy } = ports;
  const owner = `operator-${entropy.id()}`;
  const claim = await claimParked(place, owner, NO_OFFSETS, ports, POLICY, invocation);
  if (claim.type !== 'granted') return { type: 'refused', why: claim.type };
  const { epoch, rev, tail, progress: known } = claim.item;
  const progress = dropUpTo(known, Math.min(upTo, tail));
  const settled = settledOrdinal(progress);
  const request = {
    partition: place.partition,
    sequence: place.sequence,
    owner,
    epoch,
    rev,
    progress,
    leaseUntil: clock.now(),
    claimed: NO_OFFSETS,
    release: true,
  };
  const patience = { clock, entropy, giveUpAt: invocation.plan.answerBy };
  const kept = effects(claim.item);
  if (kept.length > 0) {
    const dropped = { ...request, release: false, effects: kept, leaseUntil: claim.leaseUntil };
    const answer = await repeat(() => ledger.write(dropped), patience);
    if (!isWritten(answer, dropped)) return { type: 'refused', why: 'lost' };
  }
  const last = { ...request, rev: kept.length > 0 ? rev + 1 : rev };
  if (settled >= tail) {
    const answer = await repeat(() => ledger.write({ ...last, frees: { tail } }), patience);
    if (answer.type === 'written' || (answer.type === 'refused' && answer.item === undefined))
      return { type: 'dropped', freed: true, left: 0 };
    if (answer.type === 'refused') return { type: 'refused', why: 'lost' };
  }
  const answer = await repeat(() => ledger.write(last), patience);
  return isWritten(answer, last)
    ? { type: 'dropped', freed: false, left: Math.max(0, tail - settled) }
    : { type: 'refused', why: 'lost' };
}

/** Whether a write was applied, by an earlier try of it or by this one. */
function isWritten(answer: WriteAnswer, sent: Writer): boolean {
  return answer.type === 'written' || (answer.type === 'refused' && writeFate(answer.item, sent) === 'applied');
}
