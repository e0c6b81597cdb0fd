import { BatchFailure, LockstepError } from '../errors.ts';
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
  if (!isBatchFailure(error)) return { error, ...alone };
  const record = records.find(({ offset }) => offset === error.record.offset);
  if (record !== undefined) return { error: error.cause ?? error, record };
  const expected = others.length === 0 ? only?.position : `one of the ${records.length} records from ${only?.position}`;
  const foreign = new LockstepError(
    'BATCH_FAILURE_FOREIGN',
    `BatchFailure names offset ${error.record.offset}, expected ${expected}`,
    { cause: error.cause },
  );
  return { error: foreign, ...alone };
}

/** A bundle may hold two copies of the class, so the name decides. */
function isBatchFailure(error: unknown): error is BatchFailure {
  if (error instanceof BatchFailure) return true;
  return (
    error instanceof Error &&
    error.name === 'BatchFailure' &&
    'record' in error &&
    typeof error.record === 'object' &&
    error.record !== null &&
    'offset' in error.record
  );
}
