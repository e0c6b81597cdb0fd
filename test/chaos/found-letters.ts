import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Admin, IHeaders, Kafka } from 'kafkajs';
import type { LocalEndpoint } from '../../infra/local/local-endpoint.ts';
import { clientConfig } from '../../infra/local/local-endpoint.ts';
import { parseFallbackEntry } from '../../shared/adapters/sqs/fallback-entry.ts';
import type { FoundLetter } from './evidence.ts';

type Header = (name: string) => string;

function letterOf(where: FoundLetter['where'], header: Header, key: Buffer | null, value: Buffer | null): FoundLetter {
  return {
    where,
    partition: Number(header('x-original-partition')),
    offset: Number(header('x-original-offset')),
    id: header('x-dead-letter-id'),
    deadLetteredAt: Date.parse(header('x-dead-lettered-at')),
    key: key?.toString() ?? '',
    value: value?.toString() ?? '',
  };
}

/** Everything on a dead-letter topic, as a plain consumer finds it. */
export async function lettersOnTopic(kafka: Kafka, admin: Admin, topic: string): Promise<FoundLetter[]> {
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
  const found: FoundLetter[] = [];
  const open = new Set([...ends].filter(([, high]) => high > 0).map(([partition]) => partition));
  if (open.size === 0) return found;
  const consumer = kafka.consumer({ groupId: `reader-of-${topic}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ partition, message: { headers = {}, key, value, offset } }) => {
      found.push(letterOf('topic', (name) => textOf(headers, name), key, value));
      if (Number(offset) >= (ends.get(partition) ?? 0) - 1) open.delete(partition);
      if (open.size === 0) done.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return found;
}

function textOf(headers: IHeaders, name: string): string {
  return String(headers[name] ?? '');
}

/** Takes what is in a fallback queue: letters, and as texts what is none. */
export async function lettersInQueue(
  endpoint: LocalEndpoint,
  queueUrl: string,
): Promise<{ readonly letters: FoundLetter[]; readonly others: string[] }> {
  const sqs = new SQSClient(clientConfig(endpoint));
  const letters: FoundLetter[] = [];
  const others: string[] = [];
  try {
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) return { letters, others };
      for (const { Body = '', ReceiptHandle } of Messages) {
        const entry = parseFallbackEntry(Body);
        if (entry.type === 'letter') {
          const { headers, key, value } = entry.letter;
          const header = (name: string) => headers.find((one) => one.name === name)?.value.toString() ?? '';
          letters.push(letterOf('queue', header, key, value));
        } else others.push(Body);
        await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
      }
    }
  } finally {
    sqs.destroy();
  }
}
