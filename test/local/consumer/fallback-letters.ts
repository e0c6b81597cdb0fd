import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { parseFallbackEntry } from '../../../shared/adapters/sqs/fallback-entry.ts';
import type { DeadLetter } from '../../../shared/ports/dead-letter-publisher.ts';
import type { ConsumersUnderTest } from './consumers-under-test.ts';

/** Takes every letter out of a consumer's fallback queue, read as the relay does. @throws for an entry that is no letter */
export async function takeFallbackDeadLetters(
  { cloud, consumer }: ConsumersUnderTest,
  name: string,
): Promise<DeadLetter[]> {
  const sqs = new SQSClient(clientConfig(cloud.endpoint));
  const QueueUrl = consumer(name).function.environment['LOCKSTEP_FALLBACK_QUEUE_URL'];
  const letters: DeadLetter[] = [];
  try {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return letters;
      for (const { Body = '', ReceiptHandle } of Messages) {
        const entry = parseFallbackEntry(Body);
        if (entry.type !== 'letter') throw new Error(`expected a letter in the queue, got ${entry.type}`);
        letters.push(entry.letter);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  } finally {
    sqs.destroy();
  }
}
