import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { produceValues } from './orders-under-test.ts';
import { produce, type Scripted } from './produce.ts';

/** In every value, and to be found in no log line. */
const MARKER = `marker-${randomUUID()}`;
/** In the handler's error messages; the fixture's `redact` takes it out. */
const CARD = '4111111111111111';

let consumers: ConsumersUnderTest;
const topic = topicOf({ name: 'Logs' });

/** As a W3C trace context has it, another for each record. */
const traceparent = (partition: number, index: number) =>
  `00-${'ab'.repeat(15)}0${partition}-000000000000000${index}-01`;
const scripts = (partition: number): Scripted[] =>
  Array.from({ length: 8 }, (_, index) => ({
    id: `logs-${partition}-${index}`,
    does: index === 3 ? 'fail' : index === 5 ? 'refuse' : 'succeed',
    headers: { traceparent: traceparent(partition, index) },
    more: { secret: MARKER },
  }));

beforeAll(async () => {
  consumers = await startConsumers('logs');
  const { counterpart, kafka } = consumers;
  // Nobody is answered before all eight keys of a partition are in their handlers: they run side by side.
  const started = new Map<unknown, Set<string>>();
  const together = Promise.withResolvers<void>();
  counterpart.answer(async ({ path, partition, id }) => {
    if (path !== '/started') return 204;
    const ids = started.get(partition) ?? new Set();
    started.set(partition, ids.add(id));
    if ([...started.values()].every(({ size }) => size === 8)) together.resolve();
    await together.promise;
    return 204;
  });
  for (const partition of [0, 1]) {
    await produce(kafka, topic, partition, scripts(partition));
    await produceValues(kafka, topic, partition, [
      `not json ${MARKER}`,
      JSON.stringify({ id: 'logs', does: MARKER }),
      JSON.stringify({ id: { [MARKER]: 1 }, does: 'succeed' }),
      JSON.stringify(MARKER),
    ]);
  }
  await vi.waitFor(async () => expect(await consumers.lag('Logs')).toBe(0), { timeout: 180_000, interval: 500 });
  await consumers.catchUp();
});

afterAll(() => consumers?.stop());

/** Lines of JSON that the first consumer printed, as objects. */
function lines(): Record<string, unknown>[] {
  const own = consumers.printed.filter((line) => line.startsWith('Logs: '));
  return own.flatMap((line) => {
    const json = line.slice(line.indexOf('{'));
    try {
      return [JSON.parse(json)];
    } catch {
      return [];
    }
  });
}

test('lines about a record name it, also where records run side by side', () => {
  const own = lines().filter(({ message }) => message === 'the handler has a record');

  const firstTries = own.filter(({ attempt }) => attempt === 1);
  expect(
    firstTries
      .map(({ topic: name, partition, offset, traceparent: trace }) => ({ name, partition, offset, trace }))
      .toSorted(
        (one, other) => Number(one.partition) - Number(other.partition) || Number(one.offset) - Number(other.offset),
      ),
  ).toEqual(
    [0, 1].flatMap((partition) =>
      Array.from({ length: 8 }, (_, index) => ({
        name: topic,
        partition,
        offset: index,
        trace: traceparent(partition, index),
      })),
    ),
  );
  for (const { requestId, function_request_id: invocation } of own) {
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(requestId).toBe(invocation);
  }
  const failing = own.filter(({ partition, offset }) => partition === 0 && offset === 3);
  expect(failing.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
});

test('lines that Lockstep writes about a failed record name it too', () => {
  const failed = lines().filter(({ message }) => message === 'record failed' || message === 'record dead-lettered');

  expect(failed.length).toBeGreaterThan(0);
  for (const line of failed) {
    expect(line).toMatchObject({
      topic,
      partition: expect.any(Number),
      offset: expect.any(Number),
      attempt: expect.any(Number),
      requestId: expect.any(String),
    });
    const { partition, offset } = line;
    if (Number(offset) < 8) expect(line['traceparent']).toBe(traceparent(Number(partition), Number(offset)));
  }
});

test('no value reaches a log, whatever is wrong with it', async () => {
  // They all failed, and their lines are there.
  expect(await consumers.letters('Logs')).toHaveLength(2 * 6);
  expect(lines().filter(({ message }) => message === 'record dead-lettered')).toHaveLength(2 * 6);

  expect(consumers.printed.filter((line) => line.includes(MARKER))).toEqual([]);
});

test('no value reaches a header of a letter', async () => {
  for (const { header } of await consumers.letters('Logs')) expect(JSON.stringify(header)).not.toContain(MARKER);
});

test('what `redact` takes out is in no log line and in no letter', async () => {
  const { kafka } = consumers;
  const refused: Scripted[] = [
    { id: 'redacted-0', does: 'fail' },
    { id: 'redacted-1', does: 'refuse' },
  ];
  await produce(kafka, topicOf({ name: 'Redacted' }), 0, refused);
  await vi.waitFor(async () => expect(await consumers.letters('Redacted')).toHaveLength(2), { timeout: 180_000 });
  await vi.waitFor(async () => expect(await consumers.lag('Redacted')).toBe(0), { timeout: 180_000 });
  await consumers.catchUp();

  for (const { header } of await consumers.letters('Redacted')) {
    expect(header['x-error-message']).toContain('declined for card-…');
    expect(header['x-error-stack']).toContain('declined for card-…');
    expect(JSON.stringify(header)).not.toContain(CARD);
  }
  const printed = consumers.printed.filter((line) => line.startsWith('Redacted: '));
  expect(printed.filter((line) => line.includes('declined for card-…')).length).toBeGreaterThan(0);
  expect(printed.filter((line) => line.includes(CARD))).toEqual([]);
});
