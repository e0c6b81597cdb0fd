import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { DeliveredPartition } from '../record/kafka-event.ts';
import type { Offset } from '../record/units.ts';
import type { Consumer, Ports } from './consumer.ts';
import type { DecodedRecord } from './decode-record.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import type { Invocation } from './invocation.ts';
import type { Lease } from './lease.ts';
import type { ParkedKeysHere } from './parked-keys-here.ts';
import type { ContextShare } from './record-context.ts';
import type { SettlingOf } from './settling.ts';

/** One invocation's work on one claimed partition: what all its steps share. */
export interface PartitionRun<V> {
  readonly consumer: Consumer<V>;
  readonly ports: Ports;
  readonly invocation: Invocation;
  readonly partition: LedgerPartition;
  readonly delivered: DeliveredPartition;
  /** Records that were not settled at the claim, in offset order. */
  readonly open: readonly DeliveredRecord[];
  readonly lease: Lease;
  /** Absent with `byPosition`. */
  readonly keys?: IdempotencyKeys;
  /** Absent where no key is parked and none may be. */
  readonly parkedKeys?: ParkedKeysHere;
  readonly context: ContextShare;
  /** Equal for records that must keep their order. */
  readonly unitOf: (record: DeliveredRecord) => unknown;
  readonly settlingOf: SettlingOf;
  /**
   * Values that were decoded before their record's turn, and records for other groups. `used`: a try got the value; the next
   * try decodes again.
   */
  readonly decoded: Map<Offset, DecodedRecord<V> | { readonly type: 'used' }>;
  /** Failed tries of records in this invocation. */
  readonly failedTries: Map<Offset, number>;
}
