import { type ErrorCode, LockstepError } from '../errors.ts';

/** What a store says besides the error text. */
export interface StoreErrorOptions extends ErrorOptions {
  /** The same request may succeed a moment later: throttling, a conflict, a lost connection, an answer that did not come. */
  readonly transient: boolean;
  /**
   * The store refused the request before it changed anything, or never got it. It cannot take effect later either. @default
   * false: not known
   */
  readonly notApplied?: boolean;
  /** @default 'LEDGER_UNAVAILABLE' */
  readonly code?: Extract<ErrorCode, 'LEDGER_UNAVAILABLE' | 'LEDGER_ITEM_UNREADABLE' | 'LEDGER_ITEM_FULL'>;
}

/**
 * The ledger's table could not be reached, or refused the request. Unless `notApplied` is set, it is not known whether the
 * request was applied. Only the very same request may be repeated, and only if `transient` is set: a missing table or
 * permission does not come back before the deadline, and an unreadable item stays unreadable.
 */
export class StoreError extends LockstepError {
  readonly transient: boolean;
  readonly notApplied: boolean;

  constructor(
    what: string,
    { transient, notApplied = false, code = 'LEDGER_UNAVAILABLE', ...options }: StoreErrorOptions,
  ) {
    super(code, what, options);
    this.transient = transient;
    this.notApplied = notApplied;
  }
}

/** A write was to complete an idempotency key that another holder has by now. Nothing was written, and nothing may be. */
export function keyTakenOver(position: string, cause?: unknown): StoreError {
  const what = `the idempotency key of ${position} was taken over while its record was handled`;
  return new StoreError(what, { transient: false, ...(cause !== undefined && { cause }) });
}
