import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeFallbackEntry } from '../../../../shared/adapters/sqs/fallback-entry.ts';
import { sqsFallbackQueue } from '../../../../shared/adapters/sqs/sqs-fallback-queue.ts';
import type { FallbackEntry } from '../../../../shared/ports/fallback-queue.ts';
import { FAKE_SECRET } from '../../../../shared/testing/fake-stack-secret.ts';

const QUEUE = 'https://sqs.eu-central-1.amazonaws.com/111122223333/fallback';

function letterOf(value: Buffer): FallbackEntry {
  return {
    type: 'letter',
    letter: {
      id: 'c/g/orders-3@1042/17',
      origin: { topic: 'orders', partition: 3, offset: 1_042 },
      key: null,
      value,
      headers: [{ name: 'x-stage', value: Buffer.from('handler') }],
      timestamp: 17,
    },
  };
}

/** Stands for SQS: answers each request with `answer`. */
function queueThat(answer: (body: string) => { statusCode: number; body: unknown }) {
  const requests: { QueueUrl: string; MessageBody: string }[] = [];
  const queue = sqsFallbackQueue({
    secret: async () => FAKE_SECRET,
    queueUrl: QUEUE,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: async ({ body }: { readonly body?: string | Uint8Array }) => {
        const request = JSON.parse(Buffer.from(body ?? '').toString());
        requests.push(request);
        const { statusCode, body: said } = answer(request.MessageBody);
        const headers = { 'content-type': 'application/x-amz-json-1.0' };
        return { response: { statusCode, headers, body: Buffer.from(JSON.stringify(said)) } };
      },
    },
  });
  return { queue, requests };
}

const accepts = (body: string) => ({
  statusCode: 200,
  body: { MessageId: 'm', MD5OfMessageBody: createHash('md5').update(body).digest('hex') },
});

describe('the fallback queue in SQS', () => {
  test('takes a letter as text that the relay reads back', async () => {
    const { queue, requests } = queueThat(accepts);
    const entry = letterOf(Buffer.from([0, 255, 128]));

    await queue.send(entry);

    expect(requests.map(({ QueueUrl }) => QueueUrl)).toEqual([QUEUE]);
    expect(decodeFallbackEntry(requests[0]?.MessageBody ?? '', FAKE_SECRET)).toEqual(entry);
  });

  test('takes 750 KB of value', async () => {
    const { queue, requests } = queueThat(accepts);

    await queue.send(letterOf(Buffer.alloc(750_000, 0xff)));

    expect(requests).toHaveLength(1);
  });

  test('refuses what SQS would refuse for its size, without asking', async () => {
    const { queue, requests } = queueThat(accepts);

    await expect(queue.send(letterOf(Buffer.alloc(786_432)))).rejects.toThrow(
      'FALLBACK_REFUSED: the letter of orders-3@1042 is too large for the fallback queue: 1048828 bytes, SQS takes 1048576. Check that the fallback queue exists and that the role may send to it. SQS takes at most 1 MiB.',
    );
    expect(requests).toEqual([]);
  });

  test('says what SQS said when it refuses', async () => {
    const { queue } = queueThat(() => ({
      statusCode: 400,
      body: { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'The specified queue does not exist.' },
    }));
    const partition = { cluster: 'c', group: 'g', topic: 'orders', partition: 3 };

    await expect(queue.send({ type: 'abandoned', partition, offsets: [{ from: 1, to: 2 }] })).rejects.toMatchObject({
      code: 'FALLBACK_REFUSED',
      retryable: true,
      message: expect.stringContaining(
        `the fallback queue ${QUEUE} did not accept abandoned offsets of orders-3: QueueDoesNotExist: The specified queue does not exist.`,
      ),
      cause: expect.objectContaining({ name: 'QueueDoesNotExist' }),
    });
  });

  test('takes the word of no answer that does not match what was sent', async () => {
    const { queue } = queueThat(() => ({ statusCode: 200, body: { MessageId: 'm', MD5OfMessageBody: 'f00' } }));

    await expect(queue.send(letterOf(Buffer.from('a')))).rejects.toThrow('FALLBACK_REFUSED');
  });
});
