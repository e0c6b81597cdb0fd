import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RecordHeader } from '../record/record-headers.ts';

/**
 * The last header of every record that Lockstep writes for itself. Only a process that knows the stack's secret can make it.
 */
export const SIGNATURE_HEADER = 'x-lockstep-signature';

/**
 * What a signed record is. A signature of one kind is not valid for another. `returned`: a record that a redrive or a replay
 * wrote back to its source.
 */
export type SignedKind = 'letter' | 'marker' | 'returned';

/** The signed parts of a record. Its time is not signed: a topic may set its own. */
export interface SignedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/**
 * Headers of a record of our own, followed by the signature of everything.
 *
 * @param place - where the record belongs. The same bytes elsewhere are not ours.
 */
export function signedHeaders(
  secret: Buffer,
  kind: SignedKind,
  place: string,
  record: SignedRecord,
): readonly RecordHeader[] {
  return [...record.headers, { name: SIGNATURE_HEADER, value: digest(secret, kind, place, record) }];
}

/** Whether Lockstep wrote this record, of that kind and for that place. */
export function isSigned(secret: Buffer, kind: SignedKind, place: string, record: SignedRecord): boolean {
  const last = record.headers.at(-1);
  if (last?.name !== SIGNATURE_HEADER) return false;
  const expected = digest(secret, kind, place, { ...record, headers: record.headers.slice(0, -1) });
  return last.value.length === expected.length && timingSafeEqual(last.value, expected);
}

/** The signature of a text that is not kept on a topic. */
export function textSignature(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update(`text\n${text}`).digest('base64url');
}

/**
 * As base64url in ASCII, so that tools can show it. The lengths of all parts come first, then the parts, so that no two records
 * have the same bytes.
 */
function digest(secret: Buffer, kind: SignedKind, place: string, { key, value, headers }: SignedRecord): Buffer {
  // As it is read back: half a character, which UTF-8 cannot hold, comes back as U+FFFD.
  const lengths = headers.map((header) => [header.name.toWellFormed(), header.value.length]);
  const hmac = createHmac('sha256', secret).update(
    `${JSON.stringify([kind, place, key?.length ?? null, value?.length ?? null, lengths])}\n`,
  );
  for (const part of [key, value]) if (part !== null) hmac.update(part);
  for (const header of headers) hmac.update(header.value);
  return Buffer.from(hmac.digest('base64url'));
}
