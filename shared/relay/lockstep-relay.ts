import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { LockstepError } from '../errors.ts';
import { OperatorError } from '../operator-errors.ts';
import { Invocation } from '../runtime/invocation.ts';
import type { RelayConnection } from './relay-connection.ts';
import { readRelayEntry, relayEntry } from './relay-entry.ts';
import { sweep } from './sweep.ts';

/** What the relay is invoked with: messages of its queues, or any other event, which its schedule sends. */
export type RelayEvent = SQSEvent | Readonly<Record<string, unknown>>;

/** A message that could not be moved is sent to the queue again after this time: SQS deletes messages after 14 days. */
export const RENEW_AFTER_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * Makes the relay of a consumer. It moves dead letters from the fallback queue to the dead-letter topic, and writes dead letters
 * for records that Lambda lost or gave up on. A message that cannot be moved now is named in the answer, and SQS delivers it again,
 * each time later. An old message is sent again before SQS deletes it, unless it is not ours. Any event that is not from a queue
 * makes the relay check the ledger.
 *
 * @param connect - called with the first invocation
 */
export function lockstepRelay(
  connect: () => Promise<RelayConnection>,
): (event: RelayEvent, context: Context) => Promise<SQSBatchResponse> {
  let connected: Promise<RelayConnection> | undefined;
  return async (event, context) => {
    connected ??= connect();
    const connection = await connected.catch((error: unknown) => {
      connected = undefined;
      throw error;
    });
    const { ports, policy, telemetry } = connection;
    telemetry.begin(context);
    const invocation = new Invocation(context.awsRequestId, context.getRemainingTimeInMillis(), ports.clock);
    try {
      if (isQueueEvent(event)) return await relayRecords(event.Records, connection, invocation);
      await sweep(ports, policy, invocation);
      return { batchItemFailures: [] };
    } finally {
      invocation.end();
      await Promise.all([ports.letters.disconnect(), ports.log.disconnect()]);
      telemetry.flush();
    }
  };
}

async function relayRecords(
  records: readonly SQSRecord[],
  connection: RelayConnection,
  invocation: Invocation,
): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of records) {
    if (!(await isPlaced(record, connection, invocation))) batchItemFailures.push({ itemIdentifier: record.messageId });
  }
  return { batchItemFailures };
}

/** Never rejects: a fault of one message must not affect the others. */
async function isPlaced(record: SQSRecord, connection: RelayConnection, invocation: Invocation): Promise<boolean> {
  const { ports, policy, telemetry, parking } = connection;
  let mayBeRenewed: boolean;
  try {
    if (ports.clock.now() >= invocation.plan.abortAt) throw new OperatorError('RELAY_MUST_WAIT', 'time is up');
    await relayEntry(readRelayEntry(record.body, await ports.secret()), ports, policy, invocation);
    return true;
  } catch (error) {
    // The sender of a message that Lockstep did not write.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    const sender = isNeverPlaced(error) && { sender: record.attributes.SenderId };
    telemetry.log.error(
      'a message could not be moved to the dead-letter topic; it stays in its queue and is tried again',
      {
        messageId: record.messageId,
        ...sender,
        error,
      },
    );
    telemetry.count('RelayEntriesWaiting');
    mayBeRenewed = !isNeverPlaced(error);
  }
  try {
    if (mayBeRenewed && ports.clock.now() - Number(record.attributes.SentTimestamp) > RENEW_AFTER_MS) {
      await parking.putAnew(record);
      return true;
    }
    await parking.comeBackIn(record, backOffSeconds(Number(record.attributes.ApproximateReceiveCount)));
  } catch (error) {
    // SQS delivers it again all the same, when the visibility timeout of the queue is over.
    telemetry.log.warn(
      'the visibility timeout of a message could not be changed, or an old message could not be sent again',
      { messageId: record.messageId, error },
    );
  }
  return false;
}

/**
 * Messages that Lockstep did not write, or whose offsets the ledger never left to the relay. SQS deletes them after 14 days.
 */
function isNeverPlaced(error: unknown): boolean {
  return (
    error instanceof LockstepError && (error.code === 'RELAY_ENTRY_FOREIGN' || error.code === 'RELAY_ENTRY_NOT_DUE')
  );
}

/** 10 s, 20 s, 40 s and so on, at most 15 minutes. */
function backOffSeconds(receiveCount: number): number {
  return Math.min(900, 5 * 2 ** Math.min(receiveCount, 20));
}

function isQueueEvent(event: RelayEvent): event is SQSEvent {
  return 'Records' in event && Array.isArray(event.Records);
}
