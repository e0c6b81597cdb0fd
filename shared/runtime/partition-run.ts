import type { LockstepError } from '../errors.ts';
import type { ConsumerRecord } from '../record/consumer-record.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { LedgerPartition } from '../record/item-identifier.ts';
import type { DeliveredPartition } from '../record/kafka-event.ts';
import type { Offset } from '../record/units.ts';
import type { Consumer, Ports } from './consumer.ts';
import type { IdempotencyKeys } from './idempotency-keys.ts';
import type { Invocation } from './invocation.ts';
import type { LedgerSession } from './ledger-session.ts';
import type { ContextShare } from './record-context.ts';

/** One invocation's work on one claimed partition: what every step of it shares. */
export interface PartitionRun<V> {
  readonly consumer: Consumer<V>;
  readonly ports: Ports;
  readonly invocation: Invocation;
  readonly partition: LedgerPartition;
  readonly delivered: DeliveredPartition;
  /** Records that were not settled at the claim, in offset order; at least one. */
  readonly open: readonly DeliveredRecord[];
  readonly session: LedgerSession;
  /** Absent where the ledger alone is enough. */
  readonly keys?: IdempotencyKeys;
  readonly context: ContextShare;
  /** Values that were decoded to learn their keys. */
  /** `used`: a try had the value. The next one gets a value of its own. */
  readonly decoded: Map<Offset, DecodedRecord<V> | { readonly type: 'used' }>;
}

/** A record with its value, or why it has none. */
export type DecodedRecord<V> =
  | { readonly type: 'decoded'; readonly record: ConsumerRecord<V> }
  | { readonly type: 'undecodable'; readonly stage: 'decode' | 'validate'; readonly error: LockstepError }
  /** `idempotencyKey` threw, or returned nothing. */
  | { readonly type: 'keyless'; readonly error: unknown };
