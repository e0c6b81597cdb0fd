import { decodeRanges, encodeRanges, type OffsetRanges } from '../record/offset-ranges.ts';
import type { RecordHeader } from '../record/record-headers.ts';
import type { EpochMs, Offset } from '../record/units.ts';
import { type Origin, readOrigin, textHeader } from './letter-headers.ts';

/** A record of the dead-letter topic, with the broker's bytes. */
export interface LetterRecord {
  readonly partition: number;
  readonly offset: Offset;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: EpochMs;
}

/** A letter as it lies on its topic. Texts are empty where the letter says nothing. */
export interface Letter extends LetterRecord {
  readonly id: string;
  readonly origin: Origin;
  readonly group: string;
  readonly errorName: string;
  readonly errorMessage: string;
  readonly fingerprint: string;
  readonly stage: string;
  readonly disposition: string;
  readonly attempts: number;
  readonly interruptions: number;
  readonly deadLetteredAt: EpochMs;
  readonly redriveCount: number;
  /** Nobody can tell whether it was handled. */
  readonly isDoubtful: boolean;
  /** It stands for records that Kafka holds no more. */
  readonly isExpired: boolean;
}

/** What became of letters: a record of ours on the dead-letter topic, written in the same transaction as what it tells. */
export interface LetterMarker {
  readonly what: 'redriven' | 'purged';
  /** Of letters in the marker's own partition. */
  readonly offsets: OffsetRanges;
  readonly at: EpochMs;
  readonly by: string;
}

/** In a letter of the relay: nobody can tell whether the record was handled. */
export const DOUBTFUL_HEADER = 'x-doubtful';
/** On a marker: `redriven` or `purged`. */
export const MARKER_HEADER = 'x-lockstep-marker';

/** What a record of the dead-letter topic is. `foreign`: neither a letter nor a marker of ours. */
export type OnLetterTopic =
  | { readonly type: 'letter'; readonly letter: Letter }
  | { readonly type: 'marker'; readonly marker: LetterMarker }
  | { readonly type: 'foreign' };

/** Reads a record of the dead-letter topic. */
export function readLetterTopic(record: LetterRecord): OnLetterTopic {
  const { headers } = record;
  const text = new Map<string, Buffer>();
  for (const { name, value } of headers) text.set(name, value);
  const said = (name: string) => text.get(name)?.toString() ?? '';
  const id = said('x-dead-letter-id');
  const origin = readOrigin(headers);
  if (id === '' || origin === undefined) return readMarker(record);
  const errorName = said('x-error-name');
  const deadLetteredAt = Date.parse(said('x-dead-lettered-at'));
  return {
    type: 'letter',
    letter: {
      ...record,
      id,
      origin,
      group: said('x-consumer-group'),
      errorName,
      errorMessage: said('x-error-message'),
      fingerprint: said('x-error-fingerprint'),
      stage: said('x-stage'),
      disposition: said('x-disposition'),
      attempts: Number(said('x-retry-count')) || 0,
      interruptions: Number(said('x-interruption-count')) || 0,
      deadLetteredAt: Number.isNaN(deadLetteredAt) ? record.timestamp : deadLetteredAt,
      redriveCount: Number(said('x-redrive-count')) || 0,
      isDoubtful: text.has(DOUBTFUL_HEADER),
      isExpired: errorName === 'RECORD_EXPIRED',
    },
  };
}

/** A marker as it is produced: no key, and JSON that people can read. */
export function markerRecord({ what, offsets, at, by }: LetterMarker) {
  const value = { offsets: encodeRanges(offsets), at: new Date(at).toISOString(), by };
  return {
    key: null,
    value: Buffer.from(JSON.stringify(value)),
    headers: [textHeader(MARKER_HEADER, what)],
    timestamp: at,
  };
}

/** A header may have been written by anybody: what is no marker is foreign. */
function readMarker({ value, headers: [first] }: LetterRecord): OnLetterTopic {
  const name = first?.name === MARKER_HEADER ? first.value.toString() : undefined;
  if (name !== 'redriven' && name !== 'purged') return { type: 'foreign' };
  try {
    const { offsets, at, by }: Readonly<Record<string, unknown>> = JSON.parse(String(value));
    if (typeof offsets !== 'string') return { type: 'foreign' };
    const marker = { what: name, offsets: decodeRanges(offsets), at: Date.parse(String(at)), by: String(by) } as const;
    return { type: 'marker', marker };
  } catch {
    return { type: 'foreign' };
  }
}
