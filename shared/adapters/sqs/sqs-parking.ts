import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Parking } from '../../relay/relay-connection.ts';

/**
 * @param fallbackQueueUrl - where old messages are sent again, also those of the failure queue: the relay reads both kinds from
 * it
 */
export function sqsParking(fallbackQueueUrl: string): Parking {
  const client = new SQSClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
  return {
    comeBackIn: async ({ eventSourceARN, receiptHandle }, seconds) => {
      await client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: urlOf(eventSourceARN, fallbackQueueUrl),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      );
    },
    putAnew: async ({ body }) => {
      await client.send(new SendMessageCommand({ QueueUrl: fallbackQueueUrl, MessageBody: body }));
    },
  };
}

/** Queues of one account and region: only the last part of their URLs differs. */
function urlOf(queueArn: string, sibling: string): string {
  return `${sibling.slice(0, sibling.lastIndexOf('/') + 1)}${queueArn.slice(queueArn.lastIndexOf(':') + 1)}`;
}
