import { randomBytes } from 'node:crypto';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, inject, test } from 'vitest';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { decodeFallbackEntry } from '../../../shared/adapters/sqs/fallback-entry.ts';
import { sqsFallbackQueue } from '../../../shared/adapters/sqs/sqs-fallback-queue.ts';
import type { FallbackEntry } from '../../../shared/ports/fallback-queue.ts';
import { FAKE_SECRET, fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { type FallbackUnderTest, fallbackQueueContract } from '../../contracts/fallback-queue.contract.ts';
import { letterOf } from '../../contracts/letters-under-test.ts';

const { endpoint } = inject('localCloud');
const sqs = new SQSClient(clientConfig(endpoint));

afterAll(() => sqs.destroy());

async function open(): Promise<FallbackUnderTest> {
  const { QueueUrl: queueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `fallback-${randomBytes(6).toString('hex')}` }),
  );
  const queue = sqsFallbackQueue({ queueUrl, secret: fakeStackSecret, ...clientConfig(endpoint) });
  return { queue, takeAll: () => takeAll(queueUrl) };
}

async function takeAll(queueUrl: string): Promise<FallbackEntry[]> {
  const taken: FallbackEntry[] = [];
  for (;;) {
    const received = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
    const messages = received.Messages ?? [];
    if (messages.length === 0) return taken;
    for (const { Body = '', ReceiptHandle } of messages) {
      taken.push(decodeFallbackEntry(Body, FAKE_SECRET));
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    }
  }
}

fallbackQueueContract('SQS on MiniStack', open);

test('names the queue and the letter where there is no such queue', async () => {
  const queueUrl = `${endpoint.url}/000000000000/not-there`;
  const queue = sqsFallbackQueue({ queueUrl, secret: fakeStackSecret, ...clientConfig(endpoint) });

  await expect(queue.send({ type: 'letter', letter: letterOf() })).rejects.toMatchObject({
    code: 'FALLBACK_REFUSED',
    message: expect.stringMatching(/not-there did not accept the letter of orders-1@7/),
  });
});
