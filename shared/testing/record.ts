import type { RawRecord } from '../record/delivered-record.ts';
import type { KafkaEvent } from '../record/kafka-event.ts';

/** The fields of a test record. Each has a default. */
export interface RecordOptions {
  /** @default 'orders' */
  readonly topic?: string;
  /** @default 0 */
  readonly partition?: number;
  /** @default one past the last record made for this partition by {@link kafkaEvent}, from 0 */
  readonly offset?: number;
  /** Epoch milliseconds. @default 2026-01-01T00:00:00Z plus the offset */
  readonly timestamp?: number;
  /** Text or bytes; absent: no key. */
  readonly key?: string | Buffer | null;
  /** Bytes are used as they are, `null` or `undefined` is a tombstone, anything else becomes JSON. */
  readonly value?: unknown;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
}

/** A record without a place: {@link kafkaEvent} and `deliver` give it an offset if it has none. */
export type TestRecord = Omit<RawRecord, 'offset' | 'timestamp'> & {
  readonly offset?: number;
  readonly timestamp?: number;
};

/** Makes a record in the form of an event: base64, signed header bytes. */
export function record({
  topic = 'orders',
  partition = 0,
  key,
  value,
  headers = {},
  ...place
}: RecordOptions = {}): TestRecord {
  return {
    topic,
    partition,
    timestampType: 'CREATE_TIME',
    ...place,
    ...(key !== undefined && key !== null && { key: Buffer.from(key).toString('base64') }),
    ...(value !== undefined && value !== null && { value: encoded(value) }),
    headers: Object.entries(headers).map(([name, text]) => ({ [name]: [...new Int8Array(Buffer.from(text))] })),
  };
}

function encoded(value: unknown): string {
  return (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64');
}

const TIMESTAMP_AT_ZERO = Date.UTC(2026, 0, 1);

/** Gives offsets and timestamps to records that have none: one past the record before in the partition. */
export function placed(records: readonly TestRecord[]): RawRecord[] {
  const next = new Map<string, number>();
  return records.map((raw) => {
    const name = `${raw.topic}-${raw.partition}`;
    const offset = raw.offset ?? next.get(name) ?? 0;
    next.set(name, offset + 1);
    return { ...raw, offset, timestamp: raw.timestamp ?? TIMESTAMP_AT_ZERO + offset };
  });
}

/** An event in the form that Lambda's mapping sends, with records grouped by partition. */
export function kafkaEvent(
  records: readonly TestRecord[],
  {
    eventSourceArn = 'arn:aws:kafka:eu-central-1:111122223333:cluster/shop/11111111-2222-3333-4444-555555555555-1',
    bootstrapServers = '127.0.0.1:9092',
  } = {},
): KafkaEvent {
  const byPartition: Record<string, RawRecord[]> = {};
  for (const raw of placed(records)) {
    const name = `${raw.topic}-${raw.partition}`;
    byPartition[name] ??= [];
    byPartition[name].push(raw);
  }
  return { eventSource: 'aws:kafka', eventSourceArn, bootstrapServers, records: byPartition };
}
