/** What a mapping's pollers did since they started. */
export interface EventSourceStats {
  readonly invocations: number;
  /** Records in them; one that is sent three times counts three times. */
  readonly invokedRecords: number;
  /** Invocations with records that were sent before. */
  readonly resends: number;
  readonly resentRecords: number;
  /** Records that failed, by an error or by being reported. */
  readonly failedRecords: number;
  readonly functionErrors: number;
  readonly notInvoked: number;
  readonly malformedAnswers: number;
  /** Events that were given to two invocations at once, by the fault hook. */
  readonly deliveredTwice: number;
  readonly discardedRecords: number;
  readonly rebalances: number;
}

export type MutableStats = { -readonly [K in keyof EventSourceStats]: number };

export function emptyStats(): MutableStats {
  return {
    invocations: 0,
    invokedRecords: 0,
    resends: 0,
    resentRecords: 0,
    failedRecords: 0,
    functionErrors: 0,
    notInvoked: 0,
    malformedAnswers: 0,
    deliveredTwice: 0,
    discardedRecords: 0,
    rebalances: 0,
  };
}
