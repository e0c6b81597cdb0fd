import { OperatorError } from '../operator-errors.ts';
import type { BrokenItem, LedgerRepair } from '../ports/ledger-repair.ts';
import { partitionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import { type ChangePorts, type Decision, heldBy } from './change-partition.ts';

/** What a repair needs. */
export type RepairPorts<Seen> = Pick<ChangePorts, 'clock' | 'record'> & { readonly repair: LedgerRepair<Seen> };

/** What a repair would do now, without doing it. */
export interface PreviewedRepair {
  readonly decided: { readonly type: 'change'; readonly text: string };
  /** Who holds the partition, and until when; absent when nobody does. */
  readonly heldUntil?: EpochMs;
}

/** What a reset of an item that cannot be read would do. */
export function previewRepair(broken: BrokenItem, now: EpochMs): PreviewedRepair {
  const { heldUntil } = broken;
  return {
    decided: {
      type: 'change',
      text: `puts an empty item under epoch ${epochAfter(broken, now)} in the place of one that cannot be read (${broken.why}); what Lambda delivers then runs, again if it ran before`,
    },
    ...(heldUntil !== undefined && heldUntil >= now && { heldUntil }),
  };
}

/**
 * Resets a partition whose item cannot be read, and so cannot be claimed: an item without memory takes its place, if it is still
 * the one that was looked at. Its epoch is higher than any that was granted.
 *
 * @returns what was done
 * @throws LockstepError PARTITION_HELD, OPERATION_REFUSED; StoreError
 */
export async function repairPartition<Seen>(
  decision: Decision,
  broken: BrokenItem<Seen>,
  ports: RepairPorts<Seen>,
): Promise<string> {
  const { repair, clock, record } = ports;
  const now = clock.now();
  const name = partitionName(decision.partition);
  const epoch = epochAfter(broken, now);
  const { decided, heldUntil } = previewRepair(broken, now);
  if (heldUntil !== undefined && !decision.force) throw heldBy(name, { epoch: epoch - 1, leaseUntil: heldUntil });
  const effects = [record(decision, epoch, now)];
  if (!(await repair.replace(decision.partition, broken, epoch, now, effects)))
    throw new OperatorError('OPERATION_REFUSED', `reset of ${name}: somebody changed the item meanwhile`);
  return decided.text;
}

/** Epochs count claims: where the last one is lost, milliseconds since 1970 are more than there can have been. */
function epochAfter({ epoch }: BrokenItem, now: EpochMs): number {
  return (epoch ?? now) + 1;
}
