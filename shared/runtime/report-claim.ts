import type { ClaimDecision } from '../decide/claim.ts';
import { replayCommands, UNKNOWN_TARGET } from '../decide/operator-commands.ts';
import type { OperationsClaim } from '../decide/relay.ts';
import type { Log, Telemetry } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { Offset } from '../record/units.ts';
import type { NotAttemptedReason, Outcomes } from './outcome.ts';
import type { PartitionRun } from './partition-run.ts';
import { recordLog } from './record-log.ts';

/**
 * Reports what a claim found of earlier invocations: a record in whose handler the process died, and a record that shows that
 * the topic was recreated. Only the first claim after that sees it, of a consumer or of the relay. An alarm needs the second.
 *
 * @param logOf - a log whose lines name the record at an offset, where it was delivered
 */
export function reportTakeover(
  { count, log }: Telemetry,
  { topic, partition }: Pick<LedgerPartition, 'topic' | 'partition'>,
  { interrupted, recreatedBy, progress }: OperationsClaim,
  logOf: (offset: Offset, attempt: number) => Log | undefined = () => undefined,
): void {
  if (interrupted !== undefined) {
    count('Interruptions');
    const { offset } = interrupted;
    const { attempts = 0, interruptions } = progress.blockedRecords.get(offset) ?? {};
    const itsOwn = logOf(offset, attempts + 1);
    (itsOwn ?? log).warn('the process died in the handler of a record', {
      ...(itsOwn === undefined && { topic, partition, offset }),
      interruptions,
    });
  }
  if (recreatedBy !== undefined) {
    count('TopicsRecreated');
    log.warn(
      'another record is at a known offset: the topic was recreated, and its progress starts again from nothing',
      {
        topic,
        partition,
        offset: recreatedBy.offset,
      },
    );
  }
}

/** Reports what a claim of a consumer found. */
export function reportClaim<V>(
  { ports, delivered, invocation }: Pick<PartitionRun<V>, 'ports' | 'delivered' | 'invocation'>,
  decision: ClaimDecision<DeliveredRecord>,
): void {
  const { verdict } = decision;
  const { telemetry } = ports;
  const { topic, partition } = delivered;
  reportTakeover(telemetry, delivered, decision, (offset, attempt) => {
    const record = delivered.records.find((one) => one.offset === offset);
    return record && recordLog(telemetry.log, record, attempt, invocation.requestId);
  });
  const commands = () => replayCommands({ topic, partition }, ports.commandTarget ?? UNKNOWN_TARGET);
  if (verdict.type === 'replayHalted') telemetry.count('ReplayHalted');
  if (verdict.type === 'replayHalted' && verdict.unclear !== undefined) {
    telemetry.log.error(
      'a known record came back with the same timestamp and another value: the partition is halted until an operator decides. If something on the way to Lambda changed the form of the values, take the record as a duplicate. If the topic was recreated and filled again with its old timestamps, reset the partition',
      { topic, partition, ...commands(), offset: verdict.unclear.offset },
    );
  } else if (verdict.type === 'replayHalted') {
    telemetry.log.error(
      'records came back at offsets that the ledger has forgotten: the partition is halted until an operator runs one of these commands',
      {
        topic,
        partition,
        ...commands(),
        offset: delivered.records[0]?.offset,
        // Newer than everything settled: the topic may have been recreated.
        ...(decision.progress.newestRefused !== undefined && { newestRefused: decision.progress.newestRefused }),
      },
    );
  }
  if (verdict.type === 'waiting') {
    telemetry.count('PartitionsWaitingForRecord');
    telemetry.log.warn('the batch came before a record that must be retried first, and waits for it', {
      topic,
      partition,
      waitsFor: verdict.waitsFor,
    });
  }
}

/**
 * Logs once for each invocation why records did not start, in cases that nothing else shows: no attempt is counted, and no
 * record is blocked. Otherwise a partition could be blocked unseen.
 */
export function reportWaiting<V>(
  { ports, delivered, lease }: Pick<PartitionRun<V>, 'ports' | 'delivered' | 'lease'>,
  outcomes: Outcomes,
): void {
  const { telemetry } = ports;
  const { topic, partition, records } = delivered;
  const firstOf = (reason: NotAttemptedReason) =>
    records.find(({ offset }) => {
      const outcome = outcomes.get(offset);
      return outcome?.type === 'notAttempted' && outcome.reason === reason;
    })?.offset;
  const keyHeld = firstOf('keyHeld');
  if (keyHeld !== undefined)
    telemetry.log.info('a record waits for its idempotency key, which another record or invocation holds', {
      topic,
      partition,
      offset: keyHeld,
    });
  const parkedFull = firstOf('parkedFull');
  if (parkedFull !== undefined) {
    telemetry.count('ParkedKeysFull');
    telemetry.log.warn(
      'a record of a parked key is not parked: too many wait in its key, or its dead-letter topic takes none; its key stands still',
      { topic, partition, offset: parkedFull },
    );
  }
  const keyFreed = firstOf('keyFreed');
  if (keyFreed !== undefined)
    telemetry.log.info('a parked key was freed meanwhile; its records run after the next claim', {
      topic,
      partition,
      offset: keyFreed,
    });
  const full = firstOf('full');
  if (full === undefined) return;
  const { settled, blockedRecords } = lease.progress;
  telemetry.count('PartitionsFull');
  telemetry.log.warn(
    'the ledger item of the partition has no room for one more blocked record or range: no new record starts until blocked records are settled',
    {
      topic,
      partition,
      offset: full,
      firstBlocked: [...blockedRecords.keys()][0],
      blockedRecords: blockedRecords.size,
      settledRanges: settled.length,
    },
  );
}
