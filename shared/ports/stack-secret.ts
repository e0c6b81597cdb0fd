/**
 * The secret of a stack: with it Lockstep signs what it writes for itself, and so tells that from what anybody else may write. It
 * is kept in the ledger: who may read it there could change the ledger anyway.
 *
 * @throws StoreError LEDGER_UNAVAILABLE
 */
export type StackSecret = () => Promise<Buffer>;
