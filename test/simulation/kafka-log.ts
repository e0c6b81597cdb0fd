import { type EncodedRecord, encodeRecord, recordPrefix } from '../../infra/local/event-source/encode-record.ts';

/** What the handler does with a record; `times` runs of it, then it succeeds. */
export interface Script {
  readonly does:
    | 'succeeds'
    | 'fails'
    | 'nonRetryable'
    | 'kills'
    | 'hangs'
    | 'blocks'
    | 'pauses'
    | 'slow'
    | 'undecodable'
    | 'throwsOddly'
    | 'badThenable';
  readonly times: number;
}

/** A record of the simulated topic: the truth about it, which nothing under test ever sees. */
export interface LogRecord {
  /** Its number in the run. */
  readonly index: number;
  readonly place: string;
  readonly partition: number;
  /** How often the topic was created before it. */
  readonly generation: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly idempotencyKey: string;
  /** Equal for what a producer wrote twice. */
  readonly content: string;
  readonly script: Script;
  /** It has the headers of a dead letter, from elsewhere. */
  readonly hasForeignHeaders: boolean;
}

/** A record as a poller holds it: encoded once, by the event source's own encoder. */
export interface PolledRecord extends EncodedRecord {
  readonly truth: LogRecord;
}

/** Name of the header that says which record this is. */
export const TRUTH_HEADER = 'n';

export const TOPIC = 'orders';

/** One partition of the topic. */
export class PartitionLog {
  readonly place: string;
  readonly partition: number;
  records: PolledRecord[] = [];
  /** The offset that the next record gets. */
  end: number;
  #isDecoded = false;

  constructor(partition: number, start: number) {
    this.partition = partition;
    this.place = `${TOPIC}-${partition}`;
    this.end = start;
  }

  get start(): number {
    return this.records[0]?.offset ?? this.end;
  }

  append(truth: LogRecord): void {
    this.records.push(encode(truth, this.#isDecoded));
    this.end = truth.offset + 1;
  }

  /** What a fetch gives: some records from `position` on, and where the next fetch starts. */
  fetch(position: number, most: number): { readonly records: readonly PolledRecord[]; readonly next: number } {
    const records: PolledRecord[] = [];
    for (const record of this.records) {
      if (record.offset < position) continue;
      if (records.length === most) return { records, next: (records.at(-1)?.offset ?? position) + 1 };
      records.push(record);
    }
    return { records, next: this.end };
  }

  /** From now on its records are delivered as a schema registry decodes them. */
  changeForm(): void {
    this.#isDecoded = true;
    this.records = this.records.map(({ truth }) => encode(truth, true));
  }

  /** Retention or compaction takes a record. */
  take(truth: LogRecord): void {
    this.records = this.records.filter((record) => record.truth !== truth);
  }
}

/** As bridges from another cluster leave them. */
const FOREIGN_HEADERS = {
  'x-dead-letter-id': 'f0e1d2c3b4a5',
  'x-original-topic': 'elsewhere',
  'x-original-partition': '7',
  'x-original-offset': '4711',
  'x-lockstep-id': 'elsewhere-7@4711.0',
};

function encode(truth: LogRecord, isDecoded: boolean): PolledRecord {
  const { partition, offset, timestamp, key, idempotencyKey, content, script, index, hasForeignHeaders } = truth;
  const space = isDecoded ? ' ' : '';
  const json = `{"id":${space}"${idempotencyKey}","content":${space}"${content}"${script.does === 'undecodable' ? '' : '}'}`;
  const encoded = encodeRecord(recordPrefix({ topic: TOPIC, partition }), {
    offset,
    record: {
      key: key === null ? null : Buffer.from(key),
      value: Buffer.from(json),
      headers: Object.entries({ [TRUTH_HEADER]: String(index), ...(hasForeignHeaders && FOREIGN_HEADERS) }).map(
        ([name, text]) => ({ name, value: Buffer.from(text) }),
      ),
      timestamp,
    },
  });
  if (!isDecoded) return { ...encoded, truth };
  const metadata = '"valueSchemaMetadata":{"dataFormat":"AVRO","schemaId":"7"},';
  return { ...encoded, json: encoded.json.replace('{', `{${metadata}`), bytes: encoded.bytes + metadata.length, truth };
}

/** How timelines name a record: `41a'` is at offset 41, of key a, in the topic's second life. */
export function nameOf({ offset, key, generation, script }: LogRecord): string {
  const times = Number.isFinite(script.times) ? ` ${script.times}×` : '';
  const plan = script.does === 'succeeds' ? '' : `(${script.does}${times})`;
  return `${offset}${key ?? '-'}${"'".repeat(generation)}${plan}`;
}
