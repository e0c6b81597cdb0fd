import { beforeEach, expect, test, vi } from 'vitest';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import type { DeviceEvent } from './event.ts';
import { eventsConsumer } from './events-consumer.ts';
import { handler } from './handler.ts';

/** A table in memory that can be throttled. */
const table = vi.hoisted(() => ({
  celsius: {} as Record<string, number>,
  writes: [] as number[],
  throttled: 0,
  async putAll(events: readonly DeviceEvent[]) {
    if (this.throttled-- > 0) throw new Error('throttled');
    this.writes.push(events.length);
    for (const { deviceId, celsius } of events) this.celsius[deviceId] = celsius;
  },
}));
vi.mock('./device-table.ts', () => ({ deviceTable: () => table }));

beforeEach(() => Object.assign(table, { celsius: {}, writes: [], throttled: 0 }));

const event = (deviceId: string, celsius: number) =>
  record({ topic: 'events', key: deviceId, value: { deviceId, celsius } });

test('keeps the latest event of each device, in one write', async () => {
  await deliver(handler, [event('a', 20), event('b', 5), event('a', 21)]);

  expect(table.celsius).toEqual({ a: 21, b: 5 });
  expect(table.writes).toEqual([2]);
});

test('an impossible event is dead-lettered at once; those around it are kept', async () => {
  const { deadLetters, outcomes } = await deliver(handler, [event('a', 20), event('b', -300), event('c', 7)]);

  expect(table.celsius).toEqual({ a: 20, c: 7 });
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
    'EVENT_IMPOSSIBLE',
  );
  expect(outcomes).toEqual({ 'events-0@0': 'handled', 'events-0@1': 'deadLettered', 'events-0@2': 'handled' });
});

test('a throttled table costs no event an attempt', async () => {
  table.throttled = 1;

  const { deadLetters, metrics } = await deliver(handler, [event('a', 20), event('b', 5)]);

  expect(table.celsius).toEqual({ a: 20, b: 5 });
  expect(deadLetters).toEqual([]);
  expect(metrics['AttemptsFailed']).toBeUndefined();
});

test('the latest event of a device stays, whatever becomes of the process that writes it', async () => {
  await explore({
    world: () => ({
      celsius: new Map<string, number>(),
      async putAll(events: readonly DeviceEvent[], signal: AbortSignal) {
        signal.throwIfAborted();
        for (const { deviceId, celsius } of events) this.celsius.set(deviceId, celsius);
      },
    }),
    handler: (devices) => eventsConsumer(devices),
    records: [event('a', 20), event('b', 5), event('b', -300), event('a', 21)],
    observe: ({ celsius }) => celsius,
  });
});
