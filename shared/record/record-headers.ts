import { LockstepError } from '../errors.ts';

/** A header of a record. */
export interface RecordHeader {
  readonly name: string;
  readonly value: Buffer;
}

/** The headers of a record as Buffers and as text, in order, with duplicates. */
export class RecordHeaders implements Iterable<RecordHeader> {
  readonly #raw: readonly Readonly<Record<string, readonly number[]>>[];

  /** @param raw - as the event has them: one-key objects of signed bytes (-61, -85 is "ë") */
  constructor(raw: readonly Readonly<Record<string, readonly number[]>>[]) {
    this.#raw = raw;
  }

  *[Symbol.iterator](): Generator<RecordHeader> {
    for (const header of this.#raw)
      for (const name of Object.keys(header)) yield { name, value: bytesOf(header[name]) };
  }

  /** The last header of that name. In Kafka the last one counts. */
  bytes(name: string): Buffer | undefined {
    const last = this.#raw.findLast((header) => Object.hasOwn(header, name));
    return last === undefined ? undefined : bytesOf(last[name]);
  }

  /** The last header of that name as UTF-8 text. */
  text(name: string): string | undefined {
    return this.bytes(name)?.toString('utf8');
  }

  /** Every header of that name, in order. */
  all(name: string): Buffer[] {
    return this.#raw.flatMap((header) => (Object.hasOwn(header, name) ? [bytesOf(header[name])] : []));
  }
}

/**
 * Buffer.from wraps the signed bytes of Java's byte arrays. https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html
 *
 * @throws LockstepError EVENT_RECORD_MALFORMED for what is no byte and cannot be made one, as only a forged event has it
 */
function bytesOf(signed: readonly number[] | null | undefined): Buffer {
  try {
    return Buffer.from(signed ?? []);
  } catch (cause) {
    throw new LockstepError('EVENT_RECORD_MALFORMED', 'expected a header to be a list of bytes', { cause });
  }
}
