import { readThrown } from '../decide/thrown.ts';
import { type BatchFailure, isBranded, LockstepError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';

/** An error and its record. The record is absent where the handler had several and named none. */
export interface RecordError {
  readonly error: unknown;
  readonly record?: DeliveredRecord;
}

/** Finds the record that a handler's error is about. A BatchFailure names it, and its cause is the error. */
export function failedRecord(error: unknown, records: readonly DeliveredRecord[]): RecordError {
  const [only, ...others] = records;
  const alone = only !== undefined && others.length === 0 ? { record: only } : {};
  if (!isBranded(error, 'BatchFailure')) return { error, ...alone };
  const { cause } = readThrown(error);
  const offset = namedOffset(error);
  const record = records.find((one) => one.kafkaOffset === offset);
  if (record !== undefined) return { error: cause ?? error, record };
  const expected = others.length === 0 ? only?.position : `one of the ${records.length} records from ${only?.position}`;
  const foreign = new LockstepError(
    'BATCH_FAILURE_FOREIGN',
    `BatchFailure names ${typeof offset === 'number' ? `offset ${offset}` : 'no offset'}, expected ${expected}`,
    { cause },
  );
  return { error: foreign, ...alone };
}

function namedOffset(error: unknown): unknown {
  try {
    return (error as BatchFailure).record.offset;
  } catch {
    return undefined;
  }
}
