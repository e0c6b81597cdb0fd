import type { DeliveredRecord } from '../record/delivered-record.ts';
import { type CallEnd, forgetRunning, handOver, hindranceOf, left, type TryEnd } from './call-handler.ts';
import { decodeRecord } from './decode-record.ts';
import { runHandler } from './handler-run.ts';
import type { KeyedValue } from './idempotency-keys.ts';
import type { PartitionRun } from './partition-run.ts';
import { keyedValue } from './prepare-keys.ts';
import { type Readiness, type ReadyRecord, readyRecord } from './ready-record.ts';

/** Decodes a record, asks for its idempotency key, and runs its handler once, in crash isolation. */
export async function tryIsolated<V>(run: PartitionRun<V>, record: DeliveredRecord): Promise<TryEnd> {
  const { keys, decoded, consumer } = run;
  if (keys === undefined) {
    const read = async () => void decoded.set(record.offset, await decodeRecord(consumer, record));
    return callIsolated(run, record, read, async () => {
      const ready = readyRecord(run, record);
      // Each try has a value of its own.
      decoded.delete(record.offset);
      return ready;
    });
  }
  let keyed: KeyedValue | undefined;
  const read = async () => {
    if (!decoded.has(record.offset)) keyed = await keyedValue(run, record);
  };
  return callIsolated(run, record, read, async () => {
    if (keyed !== undefined) await keys.prepare([keyed]);
    return readyRecord(run, record);
  });
}

/**
 * Hands one record to the handler in crash isolation: beside no other, and written ahead before anything of it is looked at, since
 * what reads its value may be what kills the process, or what never ends.
 *
 * @param read - runs the user's own code: the decoder, `idempotencyKey`
 * @param look - whether it may be handed over at all
 */
async function callIsolated<V>(
  run: PartitionRun<V>,
  { offset, timestamp, valueHash }: DeliveredRecord,
  read: () => Promise<void>,
  look: () => Promise<Readiness<V>>,
): Promise<CallEnd | Exclude<Readiness<V>, ReadyRecord<V>>> {
  const { session, ports, invocation } = run;
  const { sandbox } = ports;
  const entered = sandbox.enter(true);
  const hindrance = entered === true ? undefined : await hindranceOf(run, await entered);
  if (hindrance !== undefined) return hindrance;
  // Written ahead: from here on a death counts for this record, begun or not.
  session.update((progress) => ({ ...progress, running: { offset, timestamp, valueHash } }));
  const written = await session.write();
  if (written.type !== 'written') return left(run, 'fenced');
  let isGivenUp = false;
  const reading = await runHandler(read, invocation, sandbox, () => {
    if (isGivenUp) sandbox.leave();
  });
  isGivenUp = reading.type === 'stalled';
  if (reading.type === 'stalled') return reading;
  let ready: Readiness<V> | undefined;
  try {
    if (reading.type === 'failed') throw reading.error;
    ready = await look();
  } finally {
    if (ready?.type !== 'ready') void leaveIsolated(run);
  }
  return ready.type === 'ready' ? handOver(run, [ready], () => void leaveIsolated(run)) : ready;
}

/** Nobody else's handler starts before it is written that this one's has ended: a death in theirs would be put down to this record. */
async function leaveIsolated<V>(run: PartitionRun<V>): Promise<void> {
  forgetRunning(run);
  await run.session.write();
  run.ports.sandbox.leave();
}
