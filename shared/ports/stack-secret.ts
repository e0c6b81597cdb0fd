/**
 * The secret of a stack. Lockstep signs with it the records that it writes for itself, so that it can tell them from records of
 * others. It is kept in the ledger: whoever can read it there can change the ledger anyway.
 *
 * @throws StoreError LEDGER_UNAVAILABLE
 */
export type StackSecret = () => Promise<Buffer>;
