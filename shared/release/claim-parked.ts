import type { ParkedItem, PartitionItem } from '../decide/progress.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { OffsetRanges } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import type { ConsumerPolicy, Ports } from '../runtime/consumer.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { repeat } from '../runtime/repeat.ts';

/** Pause before a key or a partition that somebody holds is looked at again; half of it is random. */
const BUSY_POLL_MS = 400;

/** A parked key, and the park of it that is meant. */
export interface ParkedPlace {
  /** With its `parkedKey`. */
  readonly partition: LedgerPartition;
  readonly sequence: string;
}

/** `notParked`: the key is free, or was parked anew. `busy`: somebody holds the key or its partition. */
export type ParkedClaim =
  | { readonly type: 'granted'; readonly item: ParkedItem; readonly leaseUntil: EpochMs }
  | { readonly type: 'busy' }
  | { readonly type: 'notParked' };

/**
 * Claims a parked key, as it was parked under one sequence: another is never touched, and none is made. Waits a little for whoever
 * holds the key, or its partition.
 *
 * @throws when the ledger cannot be reached in time
 */
export async function claimParked(
  { partition, sequence }: ParkedPlace,
  owner: string,
  offsets: OffsetRanges,
  { ledger, parkedKeys, clock, entropy }: Pick<Ports, 'ledger' | 'parkedKeys' | 'clock' | 'entropy'>,
  { leaseMs, busyWaitMs }: Pick<ConsumerPolicy, 'leaseMs' | 'busyWaitMs'>,
  { plan }: Pick<Invocation, 'plan'>,
): Promise<ParkedClaim> {
  const patience = { clock, entropy, giveUpAt: plan.abortAt };
  const { parkedKey: _, ...whole } = partition;
  const waitUntil = Math.min(clock.now() + busyWaitMs, plan.abortAt);
  for (;;) {
    const seen = {
      partition: await repeat(() => ledger.read(whole), patience),
      item: await repeat(() => parkedKeys.read(partition), patience),
    };
    const { item } = seen;
    if (item?.sequence !== sequence || seen.partition === undefined) return { type: 'notParked' };
    // An earlier try was granted, and its answer was lost.
    if (item.owner === owner) return { type: 'granted', item, leaseUntil: item.leaseUntil };
    const now = clock.now();
    if (!isHeld(item, now) && !isHeld(seen.partition, now)) {
      const leaseUntil = Math.min(now + leaseMs, plan.deadline + 1_000);
      const request = { partition, owner, now, leaseUntil, offsets, seen: { partition: seen.partition, item } };
      const answer = await repeat(() => parkedKeys.claim(request), patience);
      if (answer.type === 'granted') return { type: 'granted', item: answer.item, leaseUntil };
    }
    const pause = Math.ceil(BUSY_POLL_MS * (0.5 + entropy.random() / 2));
    if (clock.now() + pause > waitUntil) return { type: 'busy' };
    await clock.sleep(pause);
  }
}

function isHeld({ owner, leaseUntil }: PartitionItem, now: EpochMs): boolean {
  return owner !== undefined && leaseUntil >= now;
}
