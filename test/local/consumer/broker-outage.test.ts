import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { type LocalKafka, startKafka } from '../../../infra/local/kafka.ts';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { takeFallbackDeadLetters } from './fallback-letters.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { doneOnce, startedTooEarly } from './in-order.ts';
import { produce, tenAround } from './produce.ts';

let broker: LocalKafka;
let consumers: ConsumersUnderTest;
/** What a handler that starts with an order waits for. */
const held = new Map<string, Promise<number>>();
/** `expect.poll` works in tests only, and this waits in hooks too. */
const PATIENCE = { timeout: 180_000, interval: 50 };

beforeAll(async () => {
  // Not the run's broker: others use that.
  broker = await startKafka({ bootstrapServers: '', shortLived: true });
  const servers = { ...inject('localCloud'), bootstrapServers: broker.bootstrapServers };
  consumers = await startConsumers('brokerOutage', { servers });
  consumers.counterpart.answer(({ path, id }) => (path === '/started' ? (held.get(id) ?? 204) : 204));
});

afterAll(async () => {
  await consumers?.stop();
  await broker?.stop();
});

/** Produces ten orders of which the fifth is refused, and holds its handler until `release`. */
async function letterIsDue(name: string, padding = ''): Promise<{ readonly release: () => void }> {
  const gate = Promise.withResolvers<number>();
  held.set(`${name}-4`, gate.promise);
  await produce(consumers.kafka, topicOf({ name }), 0, tenAround(name, 'refuse', padding === '' ? {} : { padding }));
  await vi.waitFor(() => expect(consumers.counterpart.calls.map(({ id }) => id)).toContain(`${name}-4`), PATIENCE);
  return { release: () => gate.resolve(204) };
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
  // A function waits for a broker for seconds only, and how long a broker takes to start is the machine's affair.
  await expect.poll(() => isListening(broker.bootstrapServers), { timeout: 180_000, interval: 20 }).toBe(true);
  release();
  await started;

  await expect.poll(() => consumers.lag('Short'), { timeout: 180_000, interval: 500 }).toBe(0);
  expect(await consumers.letters('Short')).toMatchObject([
    { key: Buffer.from('Short-4'), header: { 'x-original-offset': '4', 'x-error-name': 'SCRIPT_REFUSED' } },
  ]);
  expect(await takeFallbackDeadLetters(consumers, 'Short')).toEqual([]);
  expectOrderKept('Short');
});

function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe('while a broker stays down', () => {
  beforeAll(async () => {
    // SQS takes 1 MiB, and a letter in it is base64.
    const due = await Promise.all([letterIsDue('Long'), letterIsDue('Huge', 'x'.repeat(900_000))]);
    await broker.stopBroker('killed');
    for (const { release } of due) release();
    const printed = (name: string) => consumers.printed.filter((line) => line.startsWith(`${name}: `)).join('\n');
    await vi.waitFor(() => expect(printed('Long')).toContain('record dead-lettered to the fallback queue'), PATIENCE);
    await vi.waitFor(
      () => expect(printed('Huge')).toContain('the fallback queue refused the dead letter, too'),
      PATIENCE,
    );
    expect(consumers.counterpart.calls.filter(({ id }) => id === 'Huge-5')).toEqual([]);
    await broker.startBroker();
  });

  test('the letter is kept in the fallback queue, and the followers run after that', async () => {
    await expect.poll(() => consumers.lag('Long'), { timeout: 180_000, interval: 500 }).toBe(0);
    // An invocation that ends with its time may have sent it already: copies carry one id.
    const byId = new Map((await takeFallbackDeadLetters(consumers, 'Long')).map((letter) => [letter.id, letter]));
    expect([...byId.values()]).toMatchObject([
      { key: Buffer.from('Long-4'), value: Buffer.from('{"id":"Long-4","does":"refuse"}') },
    ]);
    expect(await consumers.letters('Long')).toEqual([]);
    expectOrderKept('Long');
  });

  test('a letter that the queue has no room for waits for the broker, and the followers with it', async () => {
    await expect.poll(() => consumers.lag('Huge'), { timeout: 180_000, interval: 500 }).toBe(0);
    expect(await consumers.letters('Huge')).toMatchObject([{ key: Buffer.from('Huge-4') }]);
    expect(await takeFallbackDeadLetters(consumers, 'Huge')).toEqual([]);
    expectOrderKept('Huge');
  });
});
