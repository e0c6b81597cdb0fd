import { LockstepError } from '../errors.ts';
import { StoreError } from '../ports/store-error.ts';
import { DynamoDbError } from './dynamodb-error.ts';

/**
 * Refusals below HTTP 500 that pass by themselves.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const TRANSIENT_EXCEPTIONS: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/**
 * Reasons of a cancelled transaction that pass by themselves too: they say nothing about a condition.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
export const PASSING_REASONS: ReadonlySet<string | undefined> = new Set([
  'ProvisionedThroughputExceeded',
  'ReplicatedWriteConflict',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

/** What a request that DynamoDB did not carry out becomes. An unreadable item stays the error that it is. */
export function storeError(cause: unknown, table: string, request: string): LockstepError {
  if (cause instanceof LockstepError) return cause;
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}`.replace(/\.\s*$/, '') : String(cause);
  return new StoreError(`${request} of table ${table} failed with ${said}`, { cause, transient: isTransient(cause) });
}

/** Whether a request's condition did not hold. */
export function isConditionFailure(error: unknown): error is DynamoDbError {
  return error instanceof DynamoDbError && error.name === 'ConditionalCheckFailedException';
}

/** Whether a transaction was cancelled; its reasons say why. */
export function isCancellation(error: unknown): error is DynamoDbError {
  return error instanceof DynamoDbError && error.name === 'TransactionCanceledException';
}

function isTransient(cause: unknown): boolean {
  if (isCancellation(cause)) {
    const { reasons } = cause;
    return (
      reasons.some(({ Code }) => PASSING_REASONS.has(Code)) && !reasons.some(({ Code }) => Code === 'ValidationError')
    );
  }
  if (cause instanceof DynamoDbError)
    return cause.clockWasOff || TRANSIENT_EXCEPTIONS.has(cause.name) || cause.status >= 500;
  // No answer: a lost connection or a timeout pass; missing credentials and a request that cannot be encoded do not.
  return cause instanceof Error && cause.name !== 'CredentialsProviderError' && !(cause instanceof TypeError);
}
