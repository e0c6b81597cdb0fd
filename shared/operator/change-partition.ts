import type { ClaimPolicy } from '../decide/claim.ts';
import { type DecidedChange, decideChange, type OperatorChange } from '../decide/operator.ts';
import type { PartitionItem } from '../decide/progress.ts';
import { decideOperationsClaim, type OperationsClaim } from '../decide/relay.ts';
import type { LockstepError } from '../errors.ts';
import { OperatorError } from '../operator-errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { type LedgerPartition, ledgerKey, partitionName } from '../record/item-identifier.ts';
import { NO_OFFSETS } from '../record/offset-ranges.ts';
import type { EpochMs } from '../record/units.ts';
import type { TransactAction } from '../transact-action.ts';

/** The longest time for which an operator holds a partition. */
const OPERATOR_LEASE_MS = 15_000;
const POLICY: ClaimPolicy = { onReplay: 'halt', missingRecordTimeoutMs: Number.POSITIVE_INFINITY };

/** Who decides what, and why. It is kept in the ledger. */
export interface Decision {
  readonly partition: LedgerPartition;
  readonly change: OperatorChange | DroppedRecords;
  readonly who: string;
  readonly why: string;
  /** Takes the partition away from an invocation that holds it. */
  readonly force: boolean;
}

/** Parked records that an operator gave up on: their key is no partition, so the change is made there. */
export interface DroppedRecords {
  readonly type: 'drop';
  /** The record that parked the key. */
  readonly behind: string;
  /** The last ordinal. */
  readonly upTo: number;
}

/** A decision about a partition as a whole. */
export interface PartitionDecision extends Decision {
  readonly change: OperatorChange;
}

/** What a change needs. */
export interface ChangePorts {
  readonly ledger: LedgerStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Writes the decision, in the same transaction as the change. */
  readonly record: (decision: Decision, epoch: number, at: EpochMs) => TransactAction;
}

/** What a change would do now. Nothing is done. */
export interface PreviewedChange {
  readonly decided: DecidedChange;
  /** Until when an invocation holds the partition; absent when none does. */
  readonly heldUntil?: EpochMs;
}

/** Shows what a change would do. @throws StoreError */
export async function previewChange(
  { partition, change }: Pick<PartitionDecision, 'partition' | 'change'>,
  { ledger, clock }: Pick<ChangePorts, 'ledger' | 'clock'>,
): Promise<PreviewedChange> {
  const item = await ledger.read(partition);
  if (item === undefined) {
    return {
      decided: {
        type: 'refused',
        why: `the ledger does not know ${partitionName(partition)}: it was never claimed`,
      },
    };
  }
  const decided = decide(decideOperationsClaim(item, '', clock.now(), POLICY), change, clock.now());
  return { decided, ...(isHeld(item, clock.now()) && { heldUntil: item.leaseUntil }) };
}

/**
 * Changes a partition under a claim of its own. Epoch, revision and lease hold for an operator as for an invocation, and what
 * dead invocations left behind stays pending. The ledger keeps who made the change, what it was and why.
 *
 * @returns what was done
 * @throws LockstepError PARTITION_HELD, OPERATION_REFUSED; StoreError
 */
export async function changePartition(decision: PartitionDecision, ports: ChangePorts): Promise<string> {
  const { partition, change, force } = decision;
  const { ledger, clock, entropy } = ports;
  const name = partitionName(partition);
  const now = clock.now();
  const owner = `operator-${entropy.id()}`;
  const before = await ledger.read(partition);
  if (before !== undefined && isHeld(before, now) && !force) throw heldBy(name, before);
  const claim = await ledger.claim({
    partition,
    owner,
    // With `force` each lease counts as ended, also one that was renewed since it was read. The holder's next write is refused
    // by its epoch.
    now: force ? Number.MAX_SAFE_INTEGER : now,
    leaseUntil: now + OPERATOR_LEASE_MS,
    offsets: NO_OFFSETS,
  });
  if (claim.type === 'refused' && claim.item.owner !== owner) throw heldBy(name, claim.item);
  const found = decideOperationsClaim(claim.item, owner, now, POLICY);
  const decided = decide(found, change, now);
  const { epoch, rev } = claim.item;
  const answer = await ledger.write({
    partition,
    owner,
    epoch,
    rev,
    progress: decided.type === 'change' ? decided.progress : found.progress,
    leaseUntil: now,
    claimed: NO_OFFSETS,
    release: true,
    ...(decided.type === 'change' && { effects: [ports.record(decision, epoch, now)] }),
  });
  if (decided.type === 'refused')
    throw new OperatorError('OPERATION_REFUSED', `${change.type} of ${name}: ${decided.why}`);
  if (answer.type !== 'written')
    throw new OperatorError('OPERATION_REFUSED', `${change.type} of ${name} was not written: ${answer.type}`);
  return decided.text;
}

/** The key of the item with the operators' decisions about a partition, oldest first. */
export function decisionsKey(partition: LedgerPartition): string {
  return ledgerKey(partition).replace(/^partition#/, 'decisions#');
}

/** Adds the decision to the partition's list of them. */
export function decisionAction(table: string, decision: Decision, epoch: number, at: EpochMs): TransactAction {
  const { partition, change, who, why, force } = decision;
  const entry = {
    M: {
      at: { S: new Date(at).toISOString() },
      epoch: { N: String(epoch) },
      change: { S: changeText(change) },
      who: { S: who },
      why: { S: why },
      forced: { BOOL: force },
    },
  };
  return {
    Update: {
      TableName: table,
      Key: { pk: { S: decisionsKey(partition) } },
      UpdateExpression: 'SET v = :v, entries = list_append(if_not_exists(entries, :none), :entry)',
      ExpressionAttributeValues: { ':v': { N: '1' }, ':none': { L: [] }, ':entry': { L: [entry] } },
    },
  };
}

function changeText(change: Decision['change']): string {
  if (change.type === 'skip') return `skip ${change.offset}`;
  return change.type === 'drop' ? `drop behind ${change.behind} up to ${change.upTo}` : change.type;
}

/** The text names a recreated topic: the operator would not look for it in the log of a command. */
function decide({ progress, recreatedBy }: OperationsClaim, change: OperatorChange, now: EpochMs): DecidedChange {
  const decided = decideChange(progress, change, now);
  if (recreatedBy === undefined) return decided;
  const note = `the topic was recreated, as the record at offset ${recreatedBy.offset} shows, and its progress starts from nothing`;
  return decided.type === 'change'
    ? { ...decided, text: `${decided.text}; ${note}` }
    : { ...decided, why: `${decided.why}; ${note}` };
}

function isHeld({ owner, leaseUntil }: PartitionItem, now: EpochMs): boolean {
  return owner !== undefined && leaseUntil >= now;
}

/** The error of a change while an invocation holds the partition. */
export function heldBy(
  name: string,
  { epoch, leaseUntil }: Pick<PartitionItem, 'epoch' | 'leaseUntil'>,
): LockstepError {
  const until = new Date(leaseUntil).toISOString();
  return new OperatorError('PARTITION_HELD', `an invocation holds ${name} until ${until} (epoch ${epoch})`);
}
