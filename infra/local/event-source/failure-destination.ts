import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Kafka } from 'kafkajs';
import type { Discard } from './decide.ts';
import { batchDocument, type Failure, recordDocument } from './discard-document.ts';
import type { EncodedRecord } from './encode-record.ts';

/** Takes what a mapping gives up on. */
export interface FailureDestination {
  /** @throws if it cannot: the records are then lost, as they are in Lambda */
  deliver(discards: readonly Discard<EncodedRecord>[], failure: Failure): Promise<void>;
  close(): Promise<void>;
}

/**
 * A queue gets what is known about the records, not the records: one body for each condition.
 * @param client - with the function's role
 */
export function sqsDestination(client: SQSClient, queueUrl: string): FailureDestination {
  return {
    deliver: async (discards, failure) => {
      const conditions = new Set(discards.map(({ condition }) => condition));
      for (const condition of conditions) {
        const same = discards.filter((discard) => discard.condition === condition);
        const body = JSON.stringify(batchDocument(same, failure));
        await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
      }
    },
    close: async () => client.destroy(),
  };
}

/** A topic of the same cluster gets each record in a JSON document, under its own key. */
export async function kafkaDestination(kafka: Kafka, topic: string): Promise<FailureDestination> {
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 5, initialRetryTime: 100 } });
  await producer.connect();
  return {
    deliver: async (discards, failure) => {
      const records = discards.flatMap((discard) =>
        discard.records.map((record) => ({
          key: record.key,
          value: JSON.stringify(recordDocument(discard, record, failure)),
        })),
      );
      await producer.send({ topic, acks: -1, messages: records });
    },
    close: () => producer.disconnect(),
  };
}
