import { OperatorError } from '../operator-errors.ts';
import type { BrokenItem, LedgerRepair } from '../ports/ledger-repair.ts';
import { partitionName } from '../record/item-identifier.ts';
import type { EpochMs } from '../record/units.ts';
import { type ChangePorts, type Decision, heldBy } from './change-partition.ts';

/** What a repair needs. */
export type RepairPorts<Seen> = Pick<ChangePorts, 'clock' | 'record'> & { readonly repair: LedgerRepair<Seen> };

/** What a repair would do now. Nothing is done. */
export interface PreviewedRepair {
  readonly decided: { readonly type: 'change'; readonly text: string };
  /** Until when an invocation holds the partition; absent when none does. */
  readonly heldUntil?: EpochMs;
}

/** Shows what a reset of an unreadable item would do. */
export function previewRepair(broken: BrokenItem, now: EpochMs): PreviewedRepair {
  const { heldUntil } = broken;
  return {
    decided: {
      type: 'change',
      text: `replaces an item that cannot be read (${broken.why}) by an empty one with epoch ${epochAfter(broken, now)}; records that Lambda delivers then run, even if they ran before`,
    },
    ...(heldUntil !== undefined && heldUntil >= now && { heldUntil }),
  };
}

/**
 * Resets a partition whose item cannot be read, and so cannot be claimed. An empty item replaces it, if it has not changed
 * since it was read. The new epoch is higher than any that was granted.
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
    throw new OperatorError('OPERATION_REFUSED', `reset of ${name}: the item was changed meanwhile`);
  return decided.text;
}

/** Epochs count claims. Where the last one is not known, milliseconds since 1970 are more than there can have been. */
function epochAfter({ epoch }: BrokenItem, now: EpochMs): number {
  return (epoch ?? now) + 1;
}
