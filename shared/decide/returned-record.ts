import { partitionName, type TopicPartition } from '../record/item-identifier.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import {
  countOf,
  headersBefore,
  type Origin,
  originHeaders,
  ourHeaders,
  readOrigin,
  textHeader,
  textOf,
} from './letter-headers.ts';
import { isSigned, SIGNATURE_HEADER, type SignedRecord, signedHeaders } from './signature.ts';

/** Header: how often the record has been redriven. */
export const REDRIVE_COUNT_HEADER = 'x-redrive-count';
/**
 * Header: the consumer group that the record was written back for. Lockstep consumers of other groups settle it without
 * handling it.
 */
export const FOR_HEADER = 'x-lockstep-for';

/** What a record says that Lockstep wrote back to its source. */
export interface ReturnedRecord {
  /** Where it was first. */
  readonly origin: Origin;
  /** The group that it was written for. */
  readonly group: string;
  readonly redriveCount: number;
}

/** What a record that is written back is made from. */
export interface Returning extends SignedRecord, ReturnedRecord {
  /** Where it is written to. */
  readonly to: TopicPartition;
  /** Where it comes from: the dead letter, or the record that is replayed. */
  readonly from: RecordHeader;
}

/** Headers of a record that is written back: its own, then ours, signed. */
export function returningHeaders(
  secret: Buffer,
  { to, key, value, headers, origin, group, redriveCount, from }: Returning,
): readonly RecordHeader[] {
  const all = [
    ...headers,
    ...originHeaders(origin),
    textHeader(FOR_HEADER, group),
    from,
    textHeader(REDRIVE_COUNT_HEADER, String(redriveCount)),
  ];
  return signedHeaders(secret, 'returned', partitionName(to), { key, value, headers: all });
}

/** Whether a record claims to be one. Cheap, and true of few records. */
export function claimsToBeReturned(lastHeaderName: string | undefined): boolean {
  return lastHeaderName === SIGNATURE_HEADER;
}

/**
 * Reads a record of the source topic that Lockstep wrote there; `undefined` for a record that anybody else wrote, whatever it
 * says.
 */
export function readReturned(
  secret: Buffer,
  record: SignedRecord & TopicPartition,
): (ReturnedRecord & { readonly own: readonly RecordHeader[] }) | undefined {
  if (!isSigned(secret, 'returned', partitionName(record), record)) return undefined;
  const ours = ourHeaders(record.headers);
  const origin = readOrigin(ours);
  if (origin === undefined) return undefined;
  return {
    origin,
    group: textOf(ours, FOR_HEADER),
    redriveCount: countOf(ours, REDRIVE_COUNT_HEADER),
    own: headersBefore(record.headers),
  };
}
