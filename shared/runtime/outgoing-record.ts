import { LockstepError } from '../errors.ts';
import type { OutgoingRecord } from '../ports/record-producer.ts';
import type { ProducedRecord } from './consumer.ts';

/** https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/internals/Topic.java */
const TOPIC = /^(?!\.{1,2}$)[\w.-]{1,249}$/;

/**
 * A record that a handler gave to `context.produce`, as a copy: the handler may change its buffers later.
 *
 * @param of - the record that it comes from, for errors
 * @param id - equal for all copies after a crash
 * @throws LockstepError PRODUCE_INVALID naming the topic and the field. Without the check, a record that cannot be encoded
 * would fail for ever at the broker.
 */
export function outgoingRecord(topic: unknown, record: ProducedRecord, of: string, id: string): OutgoingRecord {
  const refuse = (what: string) =>
    new LockstepError('PRODUCE_INVALID', `context.produce of ${of} for ${nameOf(topic)}: ${what}`);
  if (typeof topic !== 'string' || !TOPIC.test(topic)) throw refuse('expected the name of a topic');
  if (typeof record !== 'object' || record === null) throw refuse(`expected a record, got ${kindOf(record)}`);
  const encoded = (value: unknown, field: string): Buffer => {
    if (typeof value === 'string') return Buffer.from(value);
    if (value instanceof Uint8Array) return Buffer.from(value);
    throw refuse(`expected \`${field}\` to be text or bytes, got ${kindOf(value)}`);
  };
  const { key = null, value, headers = {} } = record;
  if (value === undefined) throw refuse('expected `value` to be text, bytes, or null for a tombstone, got undefined');
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw refuse(`expected \`headers\` to be an object, got ${kindOf(headers)}`);
  return {
    topic,
    key: key === null ? null : encoded(key, 'key'),
    value: value === null ? null : encoded(value, 'value'),
    headers: [
      ...Object.entries(headers).map(([name, header]) => ({
        name,
        value: encoded(header, HEADER.test(name) ? `headers.${name}` : 'headers'),
      })),
      { name: 'x-lockstep-id', value: Buffer.from(id) },
    ],
  };
}

/** A topic for errors. A text that is not a topic name may be anything, also a part of a record's value. */
function nameOf(topic: unknown): string {
  if (typeof topic !== 'string') return `a topic of type ${typeof topic}`;
  return TOPIC.test(topic) ? `topic \`${topic}\`` : 'a topic with a name that Kafka does not allow';
}

/** Header names that errors may quote. */
const HEADER = /^[\w.-]{1,64}$/;

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return `a ${typeof value}`;
}
