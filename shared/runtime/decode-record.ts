import { readThrown } from '../decide/thrown.ts';
import { isBranded, LockstepError, QuotingCause } from '../errors.ts';
import { ConsumerRecord } from '../record/consumer-record.ts';
import { isThenable } from '../record/decode.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { Consumer } from './consumer.ts';
import type { DecodedRecord } from './partition-run.ts';

/** Decodes a record's value; a decoder that throws makes the record undecodable, not the batch. */
export function decodeRecord<V>(
  consumer: Consumer<V>,
  record: DeliveredRecord,
): Promise<DecodedRecord<V>> | DecodedRecord<V> {
  try {
    const value = consumer.value.decode(record);
    if (!isThenable(value)) return withRecord(record, value);
    return Promise.resolve(value).then(
      (settled) => withRecord(record, settled),
      (cause: unknown) => threw(record, cause),
    );
  } catch (cause) {
    return threw(record, cause);
  }
}

function withRecord<V>(record: DeliveredRecord, value: V): DecodedRecord<V> {
  if (value !== undefined) return { type: 'decoded', record: new ConsumerRecord(record, value) };
  const error = new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `the decoder of the option \`value\` returned undefined for ${record.position}, expected a value, or null for a tombstone`,
  );
  return { type: 'undecodable', stage: 'decode', error };
}

function threw<V>(record: DeliveredRecord, thrown: unknown): DecodedRecord<V> {
  if (isBranded(thrown, 'LockstepError')) {
    const error = thrown as LockstepError;
    return { type: 'undecodable', stage: error.code === 'KAFKA_VALUE_INVALID' ? 'validate' : 'decode', error };
  }
  const error = new LockstepError(
    'KAFKA_VALUE_UNDECODABLE',
    `the decoder of the option \`value\` threw ${readThrown(thrown).name} for ${record.position}`,
    { cause: new QuotingCause('what the decoder threw', { cause: thrown }) },
  );
  return { type: 'undecodable', stage: 'decode', error };
}
