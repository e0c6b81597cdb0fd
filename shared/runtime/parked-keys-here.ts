import { type ParkedKey, type ParkLimits, roomToPark } from '../decide/parking.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import { type LedgerPartition, parkedKeyOf } from '../record/item-identifier.ts';
import type { Ports } from './consumer.ts';
import type { Lease } from './lease.ts';
import { type Patience, repeat } from './repeat.ts';

/** What an invocation knows of the parked keys of its batch. Nobody else parks a key while it holds the partition. */
export class ParkedKeysHere {
  /** A letter could be kept nowhere: nothing more is marked, or marks would fill the partition's item. */
  isHeld = false;
  readonly #known = new Map<string, ParkedKey>();
  /** Records of each key, in offset order. */
  readonly #records: ReadonlyMap<string, readonly DeliveredRecord[]>;
  readonly #lease: Pick<Lease, 'progress'>;
  readonly #limits: ParkLimits;
  /** Parked keys of the partition. */
  #keys: number;
  /** Marks on their way to the ledger. */
  #reserved = 0;

  /** @param keys - parked keys of the partition when it was claimed */
  constructor(records: readonly DeliveredRecord[], lease: Pick<Lease, 'progress'>, keys: number, limits: ParkLimits) {
    this.#records = Map.groupBy(
      records.filter(({ encodedKey }) => encodedKey !== null),
      ({ encodedKey }) => encodedKey ?? '',
    );
    this.#lease = lease;
    this.#keys = keys;
    this.#limits = limits;
  }

  /** Asks for the keys of the batch: after the claim, so that what is free stays so. @throws StoreError */
  async look(partition: LedgerPartition, { parkedKeys }: Pick<Ports, 'parkedKeys'>, patience: Patience): Promise<void> {
    if (this.#keys === 0 || this.#records.size === 0) return;
    const nameOf = new Map([...this.#records.keys()].map((encoded) => [nameOfKey(encoded), encoded]));
    const found = await repeat(() => parkedKeys.look(partition, [...nameOf.keys()]), patience);
    for (const [name, key] of found) this.#known.set(nameOf.get(name) ?? '', key);
  }

  /** Whether an earlier record of its key waits: this one is not tried, and waits behind it. */
  isParked({ encodedKey }: DeliveredRecord): boolean {
    return encodedKey !== null && this.#known.has(encodedKey);
  }

  of({ encodedKey }: DeliveredRecord): ParkedKey | undefined {
    return this.#known.get(encodedKey ?? '');
  }

  /** Its key has records up to `tail` now. */
  parked({ encodedKey }: DeliveredRecord, key: ParkedKey): void {
    if (!this.#known.has(encodedKey ?? '')) this.#keys++;
    this.#known.set(encodedKey ?? '', key);
  }

  /** Whether nothing more of the key of `record` may be parked. */
  isFull(record: DeliveredRecord): boolean {
    return this.#room(record) === 0;
  }

  /** Those of its key that wait from `record` on and have no place yet, as many as may be marked now. */
  waitingFrom(record: DeliveredRecord): readonly DeliveredRecord[] {
    const { blockedRecords } = this.#lease.progress;
    return (this.#records.get(record.encodedKey ?? '') ?? [record])
      .filter(({ offset }) => offset >= record.offset && !blockedRecords.get(offset)?.exhausted)
      .slice(0, this.#room(record));
  }

  /** Counts marks until the ledger has answered. */
  async reserving<T>(marks: number, write: () => Promise<T>): Promise<T> {
    this.#reserved += marks;
    try {
      return await write();
    } finally {
      this.#reserved -= marks;
    }
  }

  #room(record: DeliveredRecord): number {
    return roomToPark(this.#lease.progress, this.of(record), this.#keys, this.#reserved, this.#limits);
  }
}

/** The hash of a key as the event has it. */
export function nameOfKey(encodedKey: string): string {
  return parkedKeyOf(Buffer.from(encodedKey, 'base64'));
}
