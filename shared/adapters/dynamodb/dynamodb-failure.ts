import {
  type BatchStatementError,
  DynamoDBServiceException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { LockstepError } from '../../errors.ts';
import { StoreError } from '../../ports/store-error.ts';

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
 * Reasons of a cancelled transaction that pass by themselves and say nothing about a condition.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
export const PASSING_REASONS: ReadonlySet<string | undefined> = new Set([
  'ProvisionedThroughputExceeded',
  'ReplicatedWriteConflict',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

/** The error for a request that DynamoDB did not carry out. The error of an unreadable item is returned as it is. */
export function storeError(cause: unknown, table: string, request: string): LockstepError {
  forgetItems(cause instanceof LockstepError ? cause.cause : cause);
  if (cause instanceof LockstepError) return cause;
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new StoreError(failure(table, request, said), {
    cause,
    transient: isTransient(cause),
    notApplied: isNotApplied(cause),
    ...(isTooLarge(cause) && { code: 'LEDGER_ITEM_FULL' }),
  });
}

/**
 * The error for a statement that DynamoDB did not carry out.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
 */
export function statementError(
  { Code, Message = '' }: BatchStatementError,
  table: string,
  request: string,
): StoreError {
  const transient = Code === 'InternalServerError' || PASSING_REASONS.has(Code);
  return new StoreError(failure(table, request, `${Code}: ${Message}`), { transient });
}

function failure(table: string, request: string, said: string): string {
  return `${request} of table ${table} failed with ${said.replace(/\.\s*$/, '')}`;
}

/** Errors are logged with all their fields, so items that an effect returned are removed first. */
function forgetItems(cause: unknown): void {
  if (!(cause instanceof TransactionCanceledException)) return;
  for (const reason of cause.CancellationReasons ?? []) delete reason.Item;
}

function isTransient(cause: unknown): boolean {
  if (cause instanceof TransactionCanceledException) {
    const reasons = cause.CancellationReasons ?? [];
    return (
      reasons.some(({ Code }) => PASSING_REASONS.has(Code)) && !reasons.some(({ Code }) => Code === 'ValidationError')
    );
  }
  if (cause instanceof DynamoDBServiceException) {
    const { httpStatusCode } = cause.$metadata;
    // The SDK learns the server's time from a refused signature, and signs the next request with it.
    if ('clockSkewCorrected' in cause.$metadata) return true;
    return TRANSIENT_EXCEPTIONS.has(cause.name) || httpStatusCode === undefined || httpStatusCode >= 500;
  }
  // No answer came. A lost connection and a timeout pass; missing credentials and a request that cannot be encoded do not.
  return cause instanceof Error && cause.name !== 'CredentialsProviderError' && !(cause instanceof TypeError);
}

/** DynamoDB names the limit only in the text. In a transaction the first action is the ledger's own. */
function isTooLarge(cause: unknown): boolean {
  if (cause instanceof TransactionCanceledException) {
    const [ledger] = cause.CancellationReasons ?? [];
    return ledger?.Code === 'ValidationError' && ITEM_TOO_LARGE.test(ledger.Message ?? '');
  }
  return (
    cause instanceof DynamoDBServiceException &&
    cause.name === 'ValidationException' &&
    ITEM_TOO_LARGE.test(cause.message)
  );
}

/** "Item size to update has exceeded the maximum allowed size", "Item size has exceeded the maximum allowed size" */
const ITEM_TOO_LARGE = /item size.* exceeded the maximum allowed size/i;

/** No connection was made, so nothing was sent. */
const NOT_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * Whether the request certainly changed nothing, now or later: DynamoDB refused it (also by cancelling a transaction), or never
 * got it. An answer of 500 or above, or no answer, does not show that.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
function isNotApplied(cause: unknown): boolean {
  if (cause instanceof DynamoDBServiceException) {
    const { httpStatusCode = 500 } = cause.$metadata;
    return httpStatusCode >= 400 && httpStatusCode < 500 && cause.name !== 'TransactionInProgressException';
  }
  if (!(cause instanceof Error)) return false;
  return cause.name === 'CredentialsProviderError' || ('code' in cause && NOT_SENT.has(cause.code));
}
