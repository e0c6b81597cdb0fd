import { recordBytes } from '../../decide/record-size.ts';
import { LockstepError } from '../../errors.ts';
import type { OutgoingRecord, RecordProducer } from '../../ports/record-producer.ts';
import type { EpochMs } from '../../record/units.ts';

/** The records that one handler produced, waiting for their send. */
interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly giveUpAt: EpochMs;
  readonly acknowledged: PromiseWithResolvers<void>;
}

/**
 * The most bytes of one send. All of it may be for one partition, and be one batch there. Kafka's default `max.message.bytes`
 * is 1,048,588. https://kafka.apache.org/documentation/#topicconfigs_max.message.bytes
 */
const MAX_SEND_BYTES = 1_000_000;

/**
 * Sends records together that come while another send runs, as from records that run side by side. Records of a refused send
 * are sent again on their own, so that a refusal affects only the records that it is about.
 */
export function gatheringRecordProducer(producer: RecordProducer): RecordProducer {
  let waiting: Waiting[] = [];
  let isSending = false;

  const sendAll = async () => {
    if (isSending) return;
    isSending = true;
    while (waiting.length > 0) {
      const share = waiting;
      waiting = [];
      await sendShare(producer, share);
    }
    isSending = false;
  };

  return {
    produce(records, giveUpAt) {
      const acknowledged = Promise.withResolvers<void>();
      waiting.push({ records, giveUpAt, acknowledged });
      void sendAll();
      return acknowledged.promise;
    },
  };
}

async function sendShare(producer: RecordProducer, share: readonly Waiting[]): Promise<void> {
  const records = share.flatMap((one) => one.records);
  const giveUpAt = Math.min(...share.map((one) => one.giveUpAt));
  try {
    await (share.length === 1 ? produceHalving : produceBySize)(producer, records, giveUpAt);
    for (const { acknowledged } of share) acknowledged.resolve();
  } catch (error) {
    const isUnreachable = error instanceof LockstepError && error.code === 'BROKER_UNREACHABLE';
    if (isUnreachable || share.length === 1) for (const { acknowledged } of share) acknowledged.reject(error);
    else for (const one of share) await sendShare(producer, [one]);
  }
}

/** Sends records in order, in as many sends as their size needs. */
async function produceBySize(
  producer: RecordProducer,
  records: readonly OutgoingRecord[],
  giveUpAt: EpochMs,
): Promise<void> {
  for (const some of bySize(records)) await producer.produce(some, giveUpAt);
}

/** The same for a topic that may take less than Kafka's default: only a record that is too large on its own is refused. */
async function produceHalving(
  producer: RecordProducer,
  records: readonly OutgoingRecord[],
  giveUpAt: EpochMs,
): Promise<void> {
  try {
    await produceBySize(producer, records, giveUpAt);
  } catch (error) {
    if (records.length === 1 || !isTooLarge(error)) throw error;
    const half = Math.ceil(records.length / 2);
    await produceHalving(producer, records.slice(0, half), giveUpAt);
    await produceHalving(producer, records.slice(half), giveUpAt);
  }
}

function bySize(records: readonly OutgoingRecord[]): OutgoingRecord[][] {
  const sends: OutgoingRecord[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const more = recordBytes(record);
    if (bytes + more > MAX_SEND_BYTES) {
      sends.push([]);
      bytes = 0;
    }
    sends.at(-1)?.push(record);
    bytes += more;
  }
  return sends;
}

/** The broker answered MESSAGE_TOO_LARGE or RECORD_LIST_TOO_LARGE. */
function isTooLarge(error: unknown): boolean {
  return error instanceof LockstepError && error.code === 'PRODUCE_FAILED' && error.message.includes('_TOO_LARGE');
}
