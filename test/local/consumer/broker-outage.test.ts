import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { type ConsumersUnderTest, SCRIPTED, startConsumers } from './consumers-under-test.ts';
import { takeFallbackDeadLetters } from './fallback-letters.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { doneOnce, startedTooEarly } from './in-order.ts';
import { produce, tenAround } from './produce.ts';

let broker: LocalKafka;
let consumers: ConsumersUnderTest;

beforeAll(async () => {
  // Not the run's broker: others use that.
  broker = await startKafka({ bootstrapServers: '' });
  const servers = { ...inject('localCloud'), bootstrapServers: broker.bootstrapServers };
  const intents = [
    { name: 'Short', entry: SCRIPTED, timeoutSeconds: 120 },
    { name: 'Long', entry: SCRIPTED, timeoutSeconds: 8 },
    { name: 'Huge', entry: SCRIPTED, timeoutSeconds: 8 },
  ];
  consumers = await startConsumers('Outage', intents, { servers });
}, 300_000);

afterAll(async () => {
  await consumers?.stop();
  await broker?.stop();
});

/** Produces ten orders of which the fifth is refused, and holds its handler until `release`. */
async function letterIsDue(name: string, padding = ''): Promise<{ readonly release: () => void }> {
  const held = Promise.withResolvers<number>();
  consumers.counterpart.answer(({ path, id }) => (path === '/started' && id === `${name}-4` ? held.promise : 204));
  await produce(consumers.kafka, topicOf({ name }), 0, tenAround(name, 'refuse', padding === '' ? {} : { padding }));
  await expect.poll(() => consumers.counterpart.calls.map(({ id }) => id), { timeout: 60_000 }).toContain(`${name}-4`);
  return { release: () => held.resolve(204) };
}

function expectOrderKept(name: string): void {
  const produced = Array.from({ length: 10 }, (_, index) => `${name}-${index}`);
  const { calls } = consumers.counterpart;
  expect(doneOnce(calls, produced)).toEqual(produced.filter((id) => id !== `${name}-4`));
  expect(startedTooEarly(calls, produced, [`${name}-4`])).toEqual([]);
}

test('a broker that is stopped while a letter is due and started again gets the letter, before the followers run', async () => {
  const { release } = await letterIsDue('Short');
  await broker.stopBroker('killed');
  const started = broker.startBroker();
  release();
  await started;

  await expect.poll(() => consumers.lag('Short'), { timeout: 100_000, interval: 500 }).toBe(0);
  expect(await consumers.letters('Short')).toMatchObject([
    { key: Buffer.from('Short-4'), header: { 'x-original-offset': '4', 'x-error-name': 'SCRIPT_REFUSED' } },
  ]);
  expect(await takeFallbackDeadLetters(consumers, 'Short')).toEqual([]);
  expectOrderKept('Short');
}, 150_000);

test('while a broker stays down the letter is kept in the fallback queue, and the followers run after that', async () => {
  const { release } = await letterIsDue('Long');
  await broker.stopBroker('killed');
  release();
  await expect
    .poll(() => consumers.printed.join('\n'), { timeout: 60_000 })
    .toContain('record dead-lettered to the fallback queue');
  await broker.startBroker();

  await expect.poll(() => consumers.lag('Long'), { timeout: 100_000, interval: 500 }).toBe(0);
  expect(await takeFallbackDeadLetters(consumers, 'Long')).toMatchObject([
    { key: Buffer.from('Long-4'), value: Buffer.from('{"id":"Long-4","does":"refuse"}') },
  ]);
  expect(await consumers.letters('Long')).toEqual([]);
  expectOrderKept('Long');
}, 200_000);

test('a letter that the queue has no room for waits for the broker, and the followers with it', async () => {
  // SQS takes 1 MiB, and a letter in it is base64.
  const { release } = await letterIsDue('Huge', 'x'.repeat(900_000));
  await broker.stopBroker('killed');
  release();
  await expect
    .poll(() => consumers.printed.join('\n'), { timeout: 60_000 })
    .toContain('the fallback queue refused a letter too');
  expect(consumers.counterpart.calls.filter(({ id }) => id === 'Huge-5')).toEqual([]);
  await broker.startBroker();

  await expect.poll(() => consumers.lag('Huge'), { timeout: 100_000, interval: 500 }).toBe(0);
  expect(await consumers.letters('Huge')).toMatchObject([{ key: Buffer.from('Huge-4') }]);
  expect(await takeFallbackDeadLetters(consumers, 'Huge')).toEqual([]);
  expectOrderKept('Huge');
}, 200_000);
