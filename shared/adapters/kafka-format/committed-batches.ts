import type { RecordBatch } from './record-batch.ts';

/**
 * A transaction that was rolled back: its producer and the offset of its first record. A fetch names those that touch its
 * records.
 */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/**
 * The batches that hold committed records: neither markers nor rolled back records. The broker names rolled back transactions
 * in no particular order, and several may be open where the batches begin. A producer has one transaction at a time, and a
 * marker ends it. https://kafka.apache.org/documentation/#controlbatch
 */
export function committedBatches(
  batches: readonly RecordBatch[],
  aborted: readonly AbortedTransaction[],
): RecordBatch[] {
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  return batches.filter(({ lastOffset, producerId, isControl }) => {
    for (let next = coming[0]; next !== undefined && next.firstOffset <= lastOffset; next = coming[0]) {
      open.add(next.producerId);
      coming.shift();
    }
    if (isControl) open.delete(producerId);
    return !isControl && !open.has(producerId);
  });
}
