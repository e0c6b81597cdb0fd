import { type ErrorCode, LockstepError } from '../errors.ts';

/** What a store says besides its text. */
export interface StoreErrorOptions extends ErrorOptions {
  /** The very same request may succeed a moment later: throttling, a conflict, a lost connection, an answer that never came. */
  readonly transient: boolean;
  /** The store refused the request before it changed anything, or never got it: it cannot take effect later either. @default false: nobody knows */
  readonly notApplied?: boolean;
  /** @default 'LEDGER_UNAVAILABLE' */
  readonly code?: Extract<ErrorCode, 'LEDGER_UNAVAILABLE' | 'LEDGER_ITEM_UNREADABLE' | 'LEDGER_ITEM_FULL'>;
}

/**
 * The ledger's table could not be asked, or refused to answer. Unless `notApplied` says otherwise, nobody knows whether the request
 * was applied; only the very same request may be repeated, and only where `transient` says that it may help: a missing table or right does not come back
 * before the deadline, nor does an item that this code cannot read.
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

/** A write was to complete an idempotency key that somebody else holds by now. Nothing was written, and nothing may be. */
export function keyTakenOver(position: string, cause?: unknown): StoreError {
  const what = `the idempotency key of ${position} was taken over while its record was handled`;
  return new StoreError(what, { transient: false, ...(cause !== undefined && { cause }) });
}
