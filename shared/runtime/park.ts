import { type ParkedKey, parkedMarks } from '../decide/parking.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Outcome } from './outcome.ts';
import { nameOfKey } from './parked-keys-here.ts';
import type { PartitionRun } from './partition-run.ts';

/** Bytes of a key that its item shows to people. */
const SHOWN_KEY_BYTES = 256;

/** Whether a record that is given up on parks its key. One without a key has nothing that could wait behind it. */
export function parksKey<V>({ consumer, parkedKeys }: PartitionRun<V>, { encodedKey }: DeliveredRecord): boolean {
  return encodedKey !== null && parkedKeys !== undefined && consumer.policy.retry.park !== undefined;
}

/** Whether a record that is tried out can be given up on: where it parks its key, there must be room for one more. */
export function mayPark<V>(run: PartitionRun<V>, record: DeliveredRecord): boolean {
  return !parksKey(run, record) || run.parkedKeys?.isFull(record) === false;
}

/** No more may be parked now: the record waits, and with it its key. */
export function parkedFull<V>({ ports, consumer }: PartitionRun<V>) {
  const until = ports.clock.now() + consumer.policy.blockedAnswerDelayMs;
  return { type: 'notStarted', reason: 'parkedFull', until } as const;
}

/**
 * Gives records of one key the next ordinals: their marks and the key's item are written in one transaction. From then on none of
 * them meets its handler, and their letters are due, under these ordinals.
 *
 * @param records - in offset order, at least one; of a key that is not parked yet just one
 * @returns what became of the first of them instead, where they were not marked
 */
export async function markParked<V>(
  run: PartitionRun<V>,
  records: readonly [DeliveredRecord, ...DeliveredRecord[]],
): Promise<Outcome | undefined> {
  const { lease, ports, parkedKeys } = run;
  const [first] = records;
  if (parkedKeys === undefined || parkedKeys.isHeld) return { ...parkedFull(run), type: 'notAttempted' };
  const known: ParkedKey = parkedKeys.of(first) ?? { sequence: ports.entropy.id(), tail: 0, settled: 0 };
  const marks = parkedMarks(lease.progress, records, known, ports.clock.now());
  const { sequence } = known;
  const to = known.tail + records.length;
  const park = {
    key: nameOfKey(first.encodedKey ?? ''),
    sequence,
    from: known.tail + 1,
    to,
    ...(known.tail === 0 && {
      created: {
        since: ports.clock.now(),
        behind: first.position,
        fingerprint: marks[0]?.fingerprint ?? '',
        key: first.keyBytes?.subarray(0, SHOWN_KEY_BYTES).toString('base64') ?? '',
      },
    }),
  };
  const transaction = { settlings: [], completions: [], effects: [], park: [park], marks };
  const written = await parkedKeys.reserving(marks.length, () => lease.commit(transaction));
  switch (written.type) {
    case 'written':
      parkedKeys.parked(first, { ...known, tail: to });
      return undefined;
    case 'lost':
      return { type: 'notAttempted', reason: 'fenced' };
    case 'cancelled':
      return { type: 'notAttempted', reason: 'keyFreed' };
  }
}
