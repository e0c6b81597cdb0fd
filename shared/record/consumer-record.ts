import type { DeliveredRecord } from './delivered-record.ts';
import type { RecordHeaders } from './record-headers.ts';
import type { EpochMs, Offset } from './units.ts';

/** What the record handler gets. Key and headers are decoded when they are read. */
export class ConsumerRecord<V> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  readonly value: V;
  readonly #delivered: DeliveredRecord;

  constructor(delivered: DeliveredRecord, value: V) {
    this.topic = delivered.topic;
    this.partition = delivered.partition;
    this.offset = delivered.kafkaOffset;
    this.timestamp = delivered.timestamp;
    this.value = value;
    this.#delivered = delivered;
  }

  /** The key as UTF-8 text; `null` without a key. */
  get key(): string | null {
    return this.#delivered.key;
  }

  get keyBytes(): Buffer | null {
    return this.#delivered.keyBytes;
  }

  /** The value's bytes as delivered; `null` for a tombstone. */
  get valueBytes(): Buffer | null {
    return this.#delivered.valueBytes;
  }

  get headers(): RecordHeaders {
    return this.#delivered.headers;
  }

  /** `orders-3@1042` */
  get position(): string {
    return this.#delivered.position;
  }
}
