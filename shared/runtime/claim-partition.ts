import type { PartitionItem } from '../decide/progress.ts';
import type { ClaimRequest } from '../ports/ledger-store.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import type { ConsumerPolicy, Ports } from './consumer.ts';
import type { Invocation } from './invocation.ts';
import { repeat } from './repeat.ts';

/** Pause before a partition that another invocation holds is claimed again. Half of it is random. */
const BUSY_POLL_MS = 400;

/** The partition is ours, or another invocation holds it. */
export type PartitionClaim =
  | { readonly type: 'granted'; readonly item: PartitionItem; readonly leaseUntil: EpochMs }
  | { readonly type: 'busy'; readonly item: PartitionItem };

/**
 * Claims a partition. If another invocation holds it, waits a little, so that overlapping invocations do not loop.
 *
 * @throws when the ledger cannot be reached in time
 */
export async function claimPartition(
  partition: LedgerPartition,
  owner: string,
  batch: Pick<ClaimRequest, 'offsets' | 'first'>,
  { ledger, clock, entropy }: Pick<Ports, 'ledger' | 'clock' | 'entropy'>,
  { leaseMs, busyWaitMs }: Pick<ConsumerPolicy, 'leaseMs' | 'busyWaitMs'>,
  { plan }: Pick<Invocation, 'plan'>,
): Promise<PartitionClaim> {
  const waitUntil = Math.min(clock.now() + busyWaitMs, plan.abortAt);
  for (;;) {
    const now = clock.now();
    const leaseUntil = Math.min(now + leaseMs, plan.deadline + 1_000);
    const request = { partition, owner, ...batch, now, leaseUntil };
    const answer = await repeat(() => ledger.claim(request), {
      clock,
      entropy,
      giveUpAt: plan.abortAt,
    });
    // The refusal names us as the owner: an earlier try was granted and its answer was lost.
    if (answer.type === 'granted' || answer.item.owner === owner)
      return { type: 'granted', item: answer.item, leaseUntil: Math.min(leaseUntil, answer.item.leaseUntil) };
    const pause = Math.ceil(BUSY_POLL_MS * (0.5 + entropy.random() / 2));
    if (clock.now() + pause > waitUntil) return { type: 'busy', item: answer.item };
    await clock.sleep(pause);
  }
}
