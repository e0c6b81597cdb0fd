import { classNameOf } from '../decide/thrown.ts';
import { isBranded, LockstepError, QuotingCause } from '../errors.ts';
import { ConsumerRecord } from '../record/consumer-record.ts';
import { isThenable } from '../record/decode.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Consumer } from './consumer.ts';

/** A record with its value, or why it has none. */
export type DecodedRecord<V> =
  | { readonly type: 'decoded'; readonly record: ConsumerRecord<V> }
  /** Lockstep wrote the record back for another group. */
  | { readonly type: 'forOthers' }
  /** It was parked, and Kafka held it no more when its letter was written: there is nothing to hand over. */
  | { readonly type: 'gone' }
  | { readonly type: 'undecodable'; readonly stage: 'decode' | 'validate'; readonly error: LockstepError }
  /** `idempotencyKey` threw, or returned nothing. */
  | { readonly type: 'keyless'; readonly error: unknown };

/**
 * Decodes a record's value. A decoder that throws makes the record undecodable, not the batch.
 */
export function decodeRecord<V>(
  consumer: Consumer<V>,
  record: DeliveredRecord,
): Promise<DecodedRecord<V>> | DecodedRecord<V> {
  try {
    const value = consumer.value.decode(record);
    return isThenable(value) ? awaited(record, value) : withValue(record, value);
  } catch (thrown) {
    return undecodable(record, thrown);
  }
}

async function awaited<V>(record: DeliveredRecord, value: PromiseLike<V>): Promise<DecodedRecord<V>> {
  try {
    return withValue(record, await value);
  } catch (thrown) {
    return undecodable(record, thrown);
  }
}

function withValue<V>(record: DeliveredRecord, value: V): DecodedRecord<V> {
  if (value !== undefined) return { type: 'decoded', record: new ConsumerRecord(record, value) };
  const error = new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `the decoder of the option \`value\` returned undefined for ${record.position}, expected a value, or null for a tombstone`,
  );
  return { type: 'undecodable', stage: 'decode', error };
}

function undecodable<V>(record: DeliveredRecord, thrown: unknown): DecodedRecord<V> {
  if (isBranded(thrown, 'LockstepError')) {
    const error = thrown as LockstepError;
    return { type: 'undecodable', stage: error.code === 'KAFKA_VALUE_INVALID' ? 'validate' : 'decode', error };
  }
  const error = new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `the decoder of the option \`value\` threw ${classNameOf(thrown)} for ${record.position}`,
    { cause: new QuotingCause('what the decoder threw', { cause: thrown }) },
  );
  return { type: 'undecodable', stage: 'decode', error };
}
