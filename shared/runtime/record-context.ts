import type { TransactAction } from '../ports/ledger-store.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { Log } from '../ports/telemetry.ts';
import type { DeliveredRecord } from '../record/delivered-record.ts';
import type { EpochMs } from '../record/units.ts';
import type { ProducedRecord, RecordContext } from './consumer.ts';
import { recordLog } from './record-log.ts';

/** What contexts of one partition have in common. */
export interface ContextShare {
  readonly cluster: string;
  readonly group: string;
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly deadline: EpochMs;
  readonly log: Log;
  readonly requestId: string;
}

/** A {@link RecordContext} that keeps what the handler wants committed with its record. */
export class CollectingContext implements RecordContext {
  readonly attempt: number;
  readonly effects: TransactAction[] = [];
  readonly outgoing: OutgoingRecord[] = [];
  readonly #share: ContextShare;
  readonly #record: DeliveredRecord;
  #logger: Log | undefined;

  constructor(share: ContextShare, record: DeliveredRecord, attempt: number) {
    this.#share = share;
    this.#record = record;
    this.attempt = attempt;
  }

  get epoch(): number {
    return this.#share.epoch;
  }

  get signal(): AbortSignal {
    return this.#share.signal;
  }

  get deadline(): EpochMs {
    return this.#share.deadline;
  }

  get logger(): Log {
    this.#logger ??= recordLog(this.#share.log, this.#record, this.attempt, this.#share.requestId);
    return this.#logger;
  }

  transact(...actions: TransactAction[]): void {
    this.effects.push(...actions);
  }

  produce(topic: string, { key, value, headers }: ProducedRecord): void {
    const { cluster, group } = this.#share;
    const { position, timestamp } = this.#record;
    // The same for every run of this record, so that a next consumer keyed by it applies each once.
    const id = `${cluster}/${group}/${position}/${timestamp}/${this.outgoing.length}`;
    this.outgoing.push({
      topic,
      key: bytesOf(key ?? null),
      value: bytesOf(value),
      headers: [
        ...Object.entries(headers ?? {}).map(([name, text]) => ({ name, value: Buffer.from(text) })),
        { name: 'x-lockstep-id', value: Buffer.from(id) },
      ],
    });
  }
}

function bytesOf(text: string | Buffer | null): Buffer | null {
  return typeof text === 'string' ? Buffer.from(text) : text;
}
