import { type Position, positionName } from './item-identifier.ts';
import { RecordHeaders } from './record-headers.ts';
import type { EpochMs, Offset } from './units.ts';
import { deliveredHash } from './value-hash.ts';

/** A record as the event has it. https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  readonly timestampType?: string;
  /** base64; null or absent without a key. */
  readonly key?: string | null;
  /** base64; null or absent for a tombstone. */
  readonly value?: string | null;
  /** Present only with a schema registry, which delivers the value in another form than Kafka holds. */
  readonly valueSchemaMetadata?: { readonly dataFormat?: string; readonly schemaId?: string } | null;
  /** Objects with one key, in order. Bytes are signed, as in Java. */
  readonly headers?: readonly Readonly<Record<string, readonly number[]>>[] | null;
}

/** A record of the event. Nothing of it is decoded before it is read. */
export class DeliveredRecord implements Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  /** `CREATE_TIME` or `LOG_APPEND_TIME`, where the mapping gives it. */
  readonly timestampType: string | undefined;
  /** The key as the event has it: equal for equal keys, cheaper than its bytes. `null` without a key. */
  readonly encodedKey: string | null;
  readonly #value: string | null;
  readonly #valueSchemaMetadata: object | null;
  readonly #headers: NonNullable<RawRecord['headers']>;
  #valueHash: string | undefined;

  /** Keeps what `raw` holds now: a middleware may change the event in place. */
  constructor(raw: RawRecord) {
    this.topic = raw.topic;
    this.partition = raw.partition;
    this.offset = raw.offset;
    this.timestamp = raw.timestamp;
    this.timestampType = raw.timestampType;
    this.encodedKey = raw.key ?? null;
    this.#value = raw.value ?? null;
    this.#valueSchemaMetadata = raw.valueSchemaMetadata ?? null;
    this.#headers = raw.headers ?? [];
  }

  get keyBytes(): Buffer | null {
    return bytesOf(this.encodedKey);
  }

  /** The key as UTF-8 text; `null` without a key. */
  get key(): string | null {
    return this.keyBytes?.toString('utf8') ?? null;
  }

  /** `null` for a tombstone. */
  get valueBytes(): Buffer | null {
    return bytesOf(this.#value);
  }

  get headers(): RecordHeaders {
    return new RecordHeaders(this.#headers);
  }

  /** Name of the last header; `undefined` without headers. Cheap: it is read of every record. */
  get lastHeaderName(): string | undefined {
    const last = this.#headers.at(-1);
    return last && Object.keys(last).at(-1);
  }

  /**
   * Tells different records at one offset apart: a hash of the value as delivered, 48 bits as base64url. It is short, so that
   * the first records of 64 batches keep the item below the 1 KB that DynamoDB bills as one write unit. Computed when it is
   * first read.
   */
  get valueHash(): string {
    this.#valueHash ??= deliveredHash({ value: this.#value, valueSchemaMetadata: this.#valueSchemaMetadata });
    return this.#valueHash;
  }

  /** The first member in which a record of the event differs from the delivered one; `undefined` if none does. */
  changeIn(raw: RawRecord | undefined): keyof RawRecord | undefined {
    if (raw === undefined) return 'offset';
    if ((raw.value ?? null) !== this.#value) return 'value';
    if ((raw.key ?? null) !== this.encodedKey) return 'key';
    if (raw.offset !== this.offset) return 'offset';
    if (raw.timestamp !== this.timestamp) return 'timestamp';
    return raw.topic === this.topic ? undefined : 'topic';
  }

  /** Its offset in Kafka. A released record has another `offset` here: its ordinal, by which the ledger counts it. */
  get kafkaOffset(): Offset {
    return this.offset;
  }

  /** `orders-3@1042` */
  get position(): string {
    return positionName({ topic: this.topic, partition: this.partition, offset: this.kafkaOffset });
  }
}

function bytesOf(base64: string | null): Buffer | null {
  return base64 === null ? null : Buffer.from(base64, 'base64');
}
