import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from 'vitest';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { type Operated, startOperated } from './operated-consumer.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
});

async function started(name: string, options?: { failureRetries?: number }): Promise<Operated> {
  const operated = await startOperated(name, options);
  stops.push(() => operated.stop());
  return operated;
}

function records(count: number, prefix = 'x') {
  return Array.from({ length: count }, (_, index) => ({
    value: `${prefix}-${String(index).padStart(3, '0')}`,
    key: `k-${index % 5}`,
    partition: index % 3,
  }));
}

async function waiting({ cloud, consumer }: Operated, variable: string): Promise<number> {
  const sqs = new SQSClient(clientConfig(cloud.endpoint));
  const QueueUrl = variable.startsWith('https') ? variable : consumer.function.environment[variable];
  const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  sqs.destroy();
  return (
    Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  );
}

test('letters that the topic refuses wait in the fallback queue, and the relay brings each to the topic once', async () => {
  const operated = await started('Refused');
  operated.counterpart.answer(() => 422);
  await operated.admin.deleteTopics({ topics: [operated.deadLetterTopic] });
  await operated.produce(records(20));
  await expect.poll(() => operated.lag(), { timeout: 60_000, interval: 500 }).toBe(0);
  expect(await waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL')).toBeGreaterThan(0);

  await operated.admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: operated.deadLetterTopic, numPartitions: 3, replicationFactor: 1 }],
  });

  await expect
    .poll(() => waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL'), { timeout: 120_000, interval: 1_000 })
    .toBe(0);
  const letters = await operated.letters();
  expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(records(20).map(({ value }) => value));
  expect(new Set(letters.map(({ id }) => id)).size).toBe(20);
  expect(letters.every(({ errorName }) => errorName === 'CAUSE_x')).toBe(true);
}, 240_000);

test('a function that cannot start: what the net caught gets letters, none missing, none of what was handled', async () => {
  const operated = await started('Netted', { failureRetries: 45 });
  await operated.produce(records(9, 'good'));
  await expect.poll(() => operated.lag(), { timeout: 60_000, interval: 500 }).toBe(0);
  const handled = operated.counterpart.calls.map(({ id }) => id);
  expect(handled).toHaveLength(9);

  await operated.deploy({ cannotStart: 'true' });
  await operated.produce(records(12, 'lost'));

  await expect.poll(async () => (await operated.letters()).length, { timeout: 200_000, interval: 1_000 }).toBe(12);
  const letters = await operated.letters();
  expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(records(12, 'lost').map(({ value }) => value));
  expect(new Set(letters.map(({ stage, errorName }) => `${stage} ${errorName}`))).toEqual(
    new Set(['unattempted RECORD_UNDELIVERABLE']),
  );
  await expect.poll(() => waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL')).toBe(0);

  // Mended, they return: never tried, so nothing runs twice.
  await operated.deploy();
  expect(await operated.ask('redrive', '--yes')).toMatchObject({ done: 12, left: 0, refused: { doubtful: 0 } });
  await expect.poll(() => operated.counterpart.calls.length, { timeout: 60_000, interval: 500 }).toBe(21);
  expect(
    operated.counterpart.calls
      .slice(9)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(records(12, 'lost').map(({ value }) => value));
}, 400_000);
