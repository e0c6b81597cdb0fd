import { LockstepError } from '../errors.ts';
import { ConsumerRecord } from '../record/consumer-record.ts';
import type { Decoded } from '../record/decode.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Consumer } from './consumer.ts';
import type { DecodedRecord } from './partition-run.ts';

/** Decodes a record's value; a decoder that throws makes the record undecodable, not the batch. */
export function decodeRecord<V>(
  consumer: Consumer<V>,
  record: DeliveredRecord,
): Promise<DecodedRecord<V>> | DecodedRecord<V> {
  try {
    const decoded = consumer.value.decode(record);
    if (!(decoded instanceof Promise)) return withRecord(record, decoded);
    return decoded.then(
      (value) => withRecord(record, value),
      (cause: unknown) => threw(record, cause),
    );
  } catch (cause) {
    return threw(record, cause);
  }
}

function withRecord<V>(record: DeliveredRecord, decoded: Decoded<V>): DecodedRecord<V> {
  return decoded.type === 'decoded' ? { type: 'decoded', record: new ConsumerRecord(record, decoded.value) } : decoded;
}

function threw<V>(record: DeliveredRecord, cause: unknown): DecodedRecord<V> {
  const error = new LockstepError('KAFKA_VALUE_UNDECODABLE', `value of ${record.position} could not be decoded`, {
    cause,
  });
  return { type: 'undecodable', stage: 'decode', error };
}
