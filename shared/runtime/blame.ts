import { readThrown } from '../decide/thrown.ts';
import { type BatchFailure, isBranded, LockstepError } from '../errors.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';

/** What a handler threw, and the record that it is put down to; none where the handler was given several and named none. */
export interface Blame {
  readonly error: unknown;
  readonly record?: DeliveredRecord;
}

/** Whom an error of a handler concerns. A BatchFailure says so itself and counts as its cause. */
export function blame(error: unknown, records: readonly DeliveredRecord[]): Blame {
  const [only, ...others] = records;
  const alone = only !== undefined && others.length === 0 ? { record: only } : {};
  if (!isBranded(error, 'BatchFailure')) return { error, ...alone };
  const { cause } = readThrown(error);
  const offset = namedOffset(error);
  const record = records.find((one) => one.offset === offset);
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
