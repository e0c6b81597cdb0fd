import { type RecordBatch, readRecords } from './record-batch.ts';

/** A transaction that was rolled back: its producer, and the offset of its first record. As a fetch names those that touch what it gives. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** Key of the marker that ends a rolled back transaction: version 0, type 0. https://kafka.apache.org/documentation/#controlbatch */
const ABORT_TYPE = 0;

/**
 * The batches that hold committed records: neither markers nor what was rolled back. The broker names rolled back transactions
 * in no particular order, and several may be open where the batches begin; a marker ends its producer's.
 */
export async function committedBatches(
  batches: readonly RecordBatch[],
  aborted: readonly AbortedTransaction[],
): Promise<RecordBatch[]> {
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  const committed: RecordBatch[] = [];
  for (const batch of batches) {
    for (let next = coming[0]; next !== undefined && next.firstOffset <= batch.lastOffset; next = coming[0]) {
      open.add(next.producerId);
      coming.shift();
    }
    if (batch.isControl) {
      if (await endsRolledBack(batch)) open.delete(batch.producerId);
    } else if (!batch.isTransactional || !open.has(batch.producerId)) committed.push(batch);
  }
  return committed;
}

async function endsRolledBack(marker: RecordBatch): Promise<boolean> {
  const [first] = await readRecords(marker);
  return first?.record.key?.readInt16BE(2) === ABORT_TYPE;
}
