import type { BatchPart } from './decide.ts';
import type { EncodedRecord } from './encode-record.ts';

/** The event's JSON around its partitions. */
export interface Envelope {
  readonly opening: string;
  readonly closing: string;
  readonly bytes: number;
}

/** @param bootstrapServers - comma-separated, as the function will use them */
export function envelopeOf(eventSourceArn: string | undefined, bootstrapServers: string): Envelope {
  const source =
    eventSourceArn === undefined
      ? '"eventSource":"SelfManagedKafka"'
      : `"eventSource":"aws:kafka","eventSourceArn":${JSON.stringify(eventSourceArn)}`;
  const opening = `{${source},"bootstrapServers":${JSON.stringify(bootstrapServers)},"records":{`;
  const closing = '}}';
  return { opening, closing, bytes: Buffer.byteLength(opening) + closing.length };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html, https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html */
export function eventJson(envelope: Envelope, parts: readonly BatchPart<EncodedRecord>[]): string {
  let json = envelope.opening;
  let between = '';
  for (const { partition, records } of parts) {
    json += `${between}"${partition}":[`;
    between = '';
    for (const record of records) {
      json += between + record.json;
      between = ',';
    }
    json += ']';
    between = ',';
  }
  return json + envelope.closing;
}
