/** One partition at one time. */
export interface PartitionPosition {
  readonly partition: number;
  /** Offset of the next record to be produced. */
  readonly high: number;
  /** Offset of the next record to be consumed. */
  readonly committed: number;
}

/** A group's lag on a topic, under the names of the broker's metrics. */
export interface BrokerLag {
  readonly MaxOffsetLag: number;
  readonly SumOffsetLag: number;
  /** Seconds since the oldest record that is not consumed was seen on the topic. */
  readonly EstimatedMaxTimeLag: number;
}

/** Estimates a lag in time from how far a topic had come when it was looked at before. */
export function lagEstimator(): (positions: readonly PartitionPosition[], nowMs: number) => BrokerLag {
  /** By partition: when it was first seen to reach what end, oldest first. */
  const seen = new Map<number, { readonly high: number; readonly atMs: number }[]>();
  return (positions, nowMs) => {
    const times = positions.map(({ partition, high, committed }) => {
      const laterBatches = (seen.get(partition) ?? []).filter((laterBatch) => laterBatch.high > committed);
      if (high > (laterBatches.at(-1)?.high ?? committed)) laterBatches.push({ high, atMs: nowMs });
      seen.set(partition, laterBatches);
      return nowMs - (laterBatches[0]?.atMs ?? nowMs);
    });
    const lags = positions.map(({ high, committed }) => Math.max(0, high - committed));
    return {
      MaxOffsetLag: Math.max(0, ...lags),
      SumOffsetLag: lags.reduce((sum, lag) => sum + lag, 0),
      EstimatedMaxTimeLag: Math.max(0, ...times) / 1_000,
    };
  };
}
