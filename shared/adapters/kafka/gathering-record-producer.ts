import { LockstepError } from '../../errors.ts';
import type { OutgoingRecord, RecordProducer } from '../../ports/record-producer.ts';
import type { EpochMs } from '../../record/units.ts';

/** What one handler passed on, waiting for its send. */
interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly giveUpAt: EpochMs;
  readonly acknowledged: PromiseWithResolvers<void>;
}

/**
 * Sends together what is handed in while a send is under way, as records that run side by side do. What the broker refuses of
 * such a send goes again on its own, so that a refusal concerns only whose records it is about.
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
    await producer.produce(records, giveUpAt);
    for (const { acknowledged } of share) acknowledged.resolve();
  } catch (error) {
    const isUnreachable = error instanceof LockstepError && error.code === 'BROKER_UNREACHABLE';
    if (isUnreachable || share.length === 1) for (const { acknowledged } of share) acknowledged.reject(error);
    else for (const one of share) await sendShare(producer, [one]);
  }
}
