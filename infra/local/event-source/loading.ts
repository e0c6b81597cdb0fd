import type { MappingRules } from './mapping-rules.ts';
import type { Discard, DiscardCondition, PartitionQueue, QueuedRecord, Run } from './partition-queue.ts';

/** The records of one partition in an event, in offset order. */
export interface BatchPart<R extends QueuedRecord> {
  /** The key of `event.records`. */
  readonly partition: string;
  readonly records: readonly R[];
}

/** What an idle partition could send, and from when on. */
export interface Offer<R extends QueuedRecord> {
  readonly queue: PartitionQueue<R>;
  readonly readyMs: number;
  /** Runs to send: those of a retry, or none for new records. */
  readonly retry: readonly Run<R>[];
  /** When a retry falls due that may go even while new records wait for their window. */
  readonly wakeMs: number;
}

/** An event being filled; lives for one `nextBatch`. */
export class Loading<R extends QueuedRecord> {
  closed = false;
  records = 0;
  bytes: number;
  readonly parts: BatchPart<R>[] = [];
  readonly changed: PartitionQueue<R>[] = [];
  readonly discards: (Discard<R> & { readonly records: R[] })[] = [];
  private readonly nowMs: number;
  private readonly rules: MappingRules;

  constructor(nowMs: number, rules: MappingRules) {
    this.nowMs = nowMs;
    this.rules = rules;
    this.bytes = rules.envelopeBytes;
  }

  take({ queue, retry }: Offer<R>, batchId: number): void {
    const partBytes = partitionBytes(queue.name);
    this.bytes += partBytes;
    const discarded = this.discards.length;
    const runs: Run<R>[] = [];
    const left: Run<R>[] = [];
    for (const run of retry) this.takeRun(queue.name, run, partBytes, runs, left);

    let { waiting, waitingBytes } = queue;
    // Reading `lowest`: the partition resumes there, so newer records follow in the same event.
    const resumes =
      this.rules.reading === 'lowest' && retry.length === queue.retries.length && retry[0]?.cohort === undefined;
    if ((retry.length === 0 || resumes) && !this.closed) {
      const rest: Run<R>[] = [];
      this.takeRun(
        queue.name,
        { records: waiting, attempts: 0, notBeforeMs: 0, blocking: true },
        partBytes,
        runs,
        rest,
      );
      waiting = rest[0]?.records ?? [];
      waitingBytes = waiting.reduce((bytes, record) => bytes + record.bytes, 0);
    }
    const discards = this.discards.slice(discarded);
    if (runs.length === 0) this.bytes -= partBytes;

    if (runs.length > 0) this.parts.push({ partition: queue.name, records: runs.flatMap((run) => run.records) });
    this.changed.push({
      ...queue,
      waiting,
      waitingBytes,
      retries: [...left, ...queue.retries.filter((run) => !retry.includes(run))],
      inFlight: runs.length > 0 ? { batchId, runs } : undefined,
      leaving: [...queue.leaving, ...discards],
    });
  }

  private takeRun(partition: string, run: Run<R>, partBytes: number, runs: Run<R>[], left: Run<R>[]): void {
    const taken: R[] = [];
    let index = 0;
    for (; index < run.records.length && !this.closed; index += 1) {
      const record = run.records[index] as R;
      const condition = this.hopeless(record, partBytes);
      if (condition) {
        this.discard(partition, record, condition, run.attempts);
        continue;
      }
      if (this.records >= this.rules.batchSize || this.bytes + record.bytes + 1 > this.rules.maxEventBytes) {
        this.closed = true;
        break;
      }
      taken.push(record);
      this.records += 1;
      this.bytes += record.bytes + 1;
    }
    if (taken.length > 0) runs.push({ ...run, records: taken });
    if (index < run.records.length) left.push({ ...run, records: run.records.slice(index) });
  }

  private hopeless(record: R, partBytes: number): DiscardCondition | undefined {
    const { maxRecordAgeMs, maxEventBytes, envelopeBytes } = this.rules;
    if (envelopeBytes + partBytes + record.bytes + 1 > maxEventBytes) return 'MaximumPayloadSizeExceeded';
    return this.nowMs - record.timestamp > maxRecordAgeMs ? 'RecordAgeExceeded' : undefined;
  }

  private discard(partition: string, record: R, condition: DiscardCondition, invokeCount: number): void {
    const last = this.discards.at(-1);
    if (last && last.partition === partition && last.condition === condition && last.invokeCount === invokeCount) {
      last.records.push(record);
    } else {
      this.discards.push({ partition, records: [record], condition, invokeCount });
    }
  }
}

/** `"orders-0":[…],` less its records; each record counts one more byte for its comma. */
function partitionBytes(name: string): number {
  return name.length + '"":[],'.length;
}
