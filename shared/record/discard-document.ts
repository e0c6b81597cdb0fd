import { parsePartitionName, type TopicPartition } from './item-identifier.ts';
import type { OffsetRange } from './offset-ranges.ts';

/** What Lambda says of records that it gave up on. */
export interface DiscardedRecords {
  /**
   * For example `RetryAttemptsExhausted`, for Kafka destinations `RetriesExhausted`, or `MaximumPayloadSizeExceeded`. Any text
   * is accepted: AWS adds new ones.
   */
  readonly condition: string;
  readonly eventSourceArn: string | undefined;
  readonly ranges: readonly { readonly partition: TopicPartition; readonly range: OffsetRange }[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the document that Lambda writes to an on-failure destination about a batch. For queues it has `recordsInfo` with the
 * first and the last offset of each partition. For topics it has one `recordInfo` with the record's event behind it.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
 *
 * @throws TypeError for anything else
 */
export function parseDiscardDocument(document: unknown): DiscardedRecords {
  const fields = object(document, 'the document');
  const { condition } = object(fields['requestContext'], '`requestContext`');
  if (typeof condition !== 'string') throw new TypeError('expected `requestContext.condition` to be a text');
  const info = object(fields['KafkaBatchInfo'], '`KafkaBatchInfo`');
  const { eventSourceArn } = info;
  return {
    condition,
    eventSourceArn: typeof eventSourceArn === 'string' ? eventSourceArn : undefined,
    ranges: info['recordsInfo'] === undefined ? [singleRecord(fields, info)] : severalRecords(info['recordsInfo']),
  };
}

function severalRecords(recordsInfo: unknown): DiscardedRecords['ranges'] {
  return Object.entries(object(recordsInfo, '`recordsInfo`')).map(([name, value]) => {
    const { firstRecordOffset, lastRecordOffset } = object(value, `\`recordsInfo\` of ${shown(name)}`);
    return { partition: partitionOf(name), range: { from: offset(firstRecordOffset), to: offset(lastRecordOffset) } };
  });
}

function singleRecord(fields: Fields, info: Fields): DiscardedRecords['ranges'][number] {
  const at = offset(object(info['recordInfo'], '`recordInfo`')['offset']);
  const [name] = Object.keys(object(object(fields['payload'], '`payload`')['records'], '`payload.records`'));
  return { partition: partitionOf(name ?? ''), range: { from: at, to: at } };
}

function partitionOf(name: string): TopicPartition {
  const partition = parsePartitionName(name);
  if (partition === undefined) throw new TypeError(`expected a partition such as orders-3, got ${shown(name)}`);
  return partition;
}

function offset(value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError(`expected an offset, got ${shown(value)}`);
  return number;
}

function object(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError(`expected ${what} to be an object`);
}

/** Anybody may have written it, a megabyte of it: quoted, so that no character of it acts on a log, and cut. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 80) : value) ?? 'nothing';
}
