import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from 'vitest';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { createTopics } from '../../../infra/local/topics.ts';
import { type Operated, startOperated } from './operated-consumer.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
});

async function started(name: string): Promise<Operated> {
  const operated = await startOperated(name);
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
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  expect(await waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL')).toBeGreaterThan(0);

  await createTopics(operated.admin, [{ topic: operated.deadLetterTopic, numPartitions: 3 }]);

  await expect
    .poll(() => waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL'), { timeout: 180_000, interval: 1_000 })
    .toBe(0);
  const letters = await operated.letters();
  expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(records(20).map(({ value }) => value));
  expect(new Set(letters.map(({ id }) => id)).size).toBe(20);
  expect(letters.every(({ errorName }) => errorName === 'CAUSE_x')).toBe(true);
});

test('a function that cannot start: the records in the failure queue get dead letters, none missing, none of what was handled', async () => {
  const operated = await started('Netted');
  await operated.produce(records(9, 'good'));
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  const handled = operated.counterpart.calls.map(({ id }) => id);
  expect(handled).toHaveLength(9);

  await operated.set({ CANNOT_START: 'true' });
  await operated.produce(records(12, 'lost'));

  await expect.poll(async () => (await operated.letters()).length, { timeout: 400_000, interval: 1_000 }).toBe(12);
  const letters = await operated.letters();
  expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(records(12, 'lost').map(({ value }) => value));
  expect(new Set(letters.map(({ stage, errorName }) => `${stage} ${errorName}`))).toEqual(
    new Set(['unattempted RECORD_UNDELIVERABLE']),
  );
  await expect.poll(() => waiting(operated, 'LOCKSTEP_FALLBACK_QUEUE_URL')).toBe(0);

  // After the repair they return. They were never tried, so nothing runs twice.
  await operated.set();
  expect(await operated.ask('redrive', '--yes')).toMatchObject({ done: 12, left: 0, refused: { doubtful: 0 } });
  await expect.poll(() => operated.counterpart.calls.length, { timeout: 180_000, interval: 500 }).toBe(21);
  expect(
    operated.counterpart.calls
      .slice(9)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(records(12, 'lost').map(({ value }) => value));
});
