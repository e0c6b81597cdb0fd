import { hash } from 'node:crypto';

/** Characters of a hash, besides the one that says its form. */
export const HASH_LENGTH = 8;

/** The parts of a record in the event from which the hash of its value is made. */
export interface DeliveredValue {
  readonly value?: string | null;
  readonly valueSchemaMetadata?: object | null;
}

/** 48 bits of the sha-256 of a base64 text. A tombstone and an empty value differ. */
export function shortHash(base64: string | null): string {
  return hash('sha256', base64 === null ? 'tombstone' : `value:${base64}`, 'base64url').slice(0, HASH_LENGTH);
}

/**
 * The hash of a value as delivered. With a schema registry Lambda delivers the same record in another form, which
 * `EventRecordFormat` chooses: as JSON (`J` before the hash), or without the registry's framing (`S`). Without a registry the
 * value is as Kafka holds it. Tombstones have one form only.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/services-consume-kafka-events.html
 */
export function deliveredHash({ value = null, valueSchemaMetadata = null }: DeliveredValue): string {
  const short = shortHash(value);
  if (value === null || valueSchemaMetadata === null) return short;
  return `${isJsonText(value) ? 'J' : 'S'}${short}`;
}

/**
 * Whether two hashes show that two values differ. They do not where one is unknown (empty), or where they were made of
 * different forms, which cannot be compared.
 */
export function differInValue(a: string, b: string): boolean {
  return a !== '' && b !== '' && a !== b && formOf(a) === formOf(b);
}

function formOf(valueHash: string): string {
  return valueHash.length === HASH_LENGTH + 1 ? valueHash.slice(0, 1) : '';
}

/** How JSON begins and ends: enough to tell it from Avro and Protobuf without parsing each value. */
function isJsonText(base64: string): boolean {
  const first = Buffer.from(base64.slice(0, 4), 'base64').toString('latin1');
  const last = Buffer.from(base64.slice(-4), 'base64').toString('latin1');
  return /^\s*[[{"\-0-9tfn]/.test(first) && /[\]}"0-9el]\s*$/.test(last);
}
