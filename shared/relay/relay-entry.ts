import { decodeFallbackEntry, isSignedEntry } from '../adapters/sqs/fallback-entry.ts';
import { describeOffsets } from '../decide/claim.ts';
import { OperatorError } from '../operator-errors.ts';
import type { FallbackEntry } from '../ports/fallback-queue.ts';
import { type DiscardedRecords, parseDiscardDocument } from '../record/discard-document.ts';
import { clusterUuid, type LedgerPartition, partitionName } from '../record/item-identifier.ts';
import { highest } from '../record/offset-ranges.ts';
import type { Invocation } from '../runtime/invocation.ts';
import type { RelayPolicy, RelayPorts } from './relay-ports.ts';
import { type RelayRange, relayRange } from './relay-range.ts';

/** A message of the relay's queues: an entry of the fallback queue, or Lambda's document about discarded records. */
export type RelayEntry = FallbackEntry | { readonly type: 'discarded'; readonly discarded: DiscardedRecords };

/**
 * Lockstep signs its entries of the fallback queue. Lambda does not sign its documents about discarded records.
 *
 * @throws LockstepError RELAY_ENTRY_UNREADABLE where Lockstep wrote the entry and this version cannot read it
 * @throws LockstepError RELAY_ENTRY_FOREIGN where neither Lockstep nor Lambda wrote it
 */
export function readRelayEntry(body: string, secret: Buffer): RelayEntry {
  const isOurs = isSignedEntry(body, secret);
  try {
    return isOurs
      ? decodeFallbackEntry(body, secret)
      : { type: 'discarded', discarded: parseDiscardDocument(JSON.parse(body)) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const what = `an entry of ${body.length} characters`;
    throw isOurs
      ? new OperatorError('RELAY_ENTRY_UNREADABLE', `${what} cannot be read: ${why}`, { cause })
      : new OperatorError(
          'RELAY_ENTRY_FOREIGN',
          `${what} has no signature of this stack, and Lambda did not write it: ${why}`,
          { cause },
        );
  }
}

/**
 * Moves one entry to the dead-letter topic. It is done when everything is there. May be repeated: all copies of a dead letter
 * have one id, and settled records of a range are skipped.
 *
 * @throws when it is not done, for any reason: the entry must stay in its queue
 */
export async function relayEntry(
  entry: RelayEntry,
  ports: RelayPorts,
  policy: RelayPolicy,
  invocation: Invocation,
): Promise<void> {
  if (entry.type === 'letter') {
    // Its record was settled when the queue accepted it, or is exhausted: the handler never gets it again.
    await ports.letters.publish(entry.letter, invocation.plan.stallAt);
    ports.telemetry.log.info('a dead letter was moved from the fallback queue to the dead-letter topic', {
      deadLetterId: entry.letter.id,
    });
    return;
  }
  const ranges = entry.type === 'abandoned' ? [abandoned(entry)] : discarded(entry.discarded, ports);
  for (const { partition } of ranges) mustBeOurs(partition, ports);
  if (entry.type === 'discarded') await mustBePassed(ranges, ports, invocation);
  for (const range of ranges) {
    const end = await relayRange(range, ports, policy, invocation);
    const { topic, partition } = range.partition;
    ports.telemetry.log.info('a range of records was read back', {
      topic,
      partition,
      letters: end.letters,
      end: end.type,
    });
    if (end.type === 'notDue') {
      const what = `${partitionName(range.partition)}@${describeOffsets(end.offsets)}: the ledger has never left these offsets to the relay`;
      throw new OperatorError('RELAY_ENTRY_NOT_DUE', what);
    }
    if (end.type === 'again')
      throw new OperatorError(
        'RELAY_MUST_WAIT',
        `the range of ${partitionName(range.partition)} is not done yet: ${end.why}`,
      );
  }
}

function abandoned({ partition, offsets }: Extract<FallbackEntry, { readonly type: 'abandoned' }>): RelayRange {
  const text = 'Lambda did not deliver the record again after it was reported';
  return { partition, offsets, cause: { code: 'RECORD_ABANDONED', text }, mustBeDue: true };
}

function discarded({ condition, eventSourceArn, ranges }: DiscardedRecords, ports: RelayPorts): RelayRange[] {
  const cluster = eventSourceArn === undefined ? ports.cluster : clusterUuid(eventSourceArn);
  const text = `Lambda gave up on the record: ${condition}`;
  return ranges.map(({ partition: { topic, partition }, range }) => ({
    partition: { cluster, group: ports.group, topic, partition },
    offsets: [range],
    cause: { code: 'RECORD_UNDELIVERABLE', text },
  }));
}

/** Checked whoever wrote the entry: the relay serves one topic of one cluster, in one group. */
function mustBeOurs({ cluster, group, topic, partition }: LedgerPartition, ports: RelayPorts): void {
  if (cluster === ports.cluster && group === ports.group && topic === ports.topic) return;
  const name = partitionName({ topic, partition });
  throw new OperatorError('RELAY_ENTRY_FOREIGN', `an entry about ${name} of group ${group} and cluster ${cluster}`);
}

/**
 * Lambda does not sign its documents. But the mapping goes on after records that it gave up on, so their offsets lie below the
 * group's committed offset. Later offsets will still be delivered, whatever an entry says.
 */
async function mustBePassed(ranges: readonly RelayRange[], ports: RelayPorts, { plan }: Invocation): Promise<void> {
  const committed = await ports.log.committed(ports.group, ports.topic, plan.stallAt);
  for (const { partition, offsets } of ranges) {
    const upTo = committed.get(partition.partition) ?? 0;
    const last = highest(offsets) ?? -1;
    if (last >= upTo)
      throw new OperatorError(
        'RELAY_MUST_WAIT',
        `${partitionName(partition)} up to ${last}: the group has committed offsets below ${upTo} only`,
      );
  }
}
