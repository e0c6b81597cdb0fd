import { describe, expect, test } from 'vitest';
import { encodeProgress } from '../../../shared/adapters/dynamodb/ledger-item.ts';
import type { Progress } from '../../../shared/decide/progress.ts';
import { byPosition, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';
import { itemBytes } from '../../fixtures/item-bytes.ts';

/** DynamoDB's limit of an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const ITEM_LIMIT_BYTES = 400_000;

/** A consumer in key order that notes what runs, and fails for some keys as long as it is told. */
function noting(fails: (key: string) => boolean, options: Partial<CommonOptions<string | null>> = {}) {
  const handled: number[] = [];
  const started: number[] = [];
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    order: 'key',
    retry: { inlineRetries: 0, maxAttempts: 2 },
    maxConsecutiveDeadLetters: Number.POSITIVE_INFINITY,
    ...options,
    onRecord: async ({ key, offset }) => {
      started.push(offset);
      await Promise.resolve();
      if (fails(key ?? '')) throw new Error(`${key} does not work`);
      handled.push(offset);
    },
  });
  return { handler, handled, started };
}

const keyed = (keys: readonly (string | null)[]) => keys.map((key) => record({ key, value: Buffer.from('v') }));

/** What the partition's item was at its largest. */
function watch() {
  const most = { blockedRecords: 0, ranges: 0, bytes: 0 };
  const onProgress = (progress: Progress) => {
    if (progress.blockedRecords.size <= most.blockedRecords && progress.settled.length <= most.ranges) return;
    most.blockedRecords = Math.max(most.blockedRecords, progress.blockedRecords.size);
    most.ranges = Math.max(most.ranges, progress.settled.length);
    const attributes = Object.entries(encodeProgress(progress)).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    most.bytes = Math.max(most.bytes, itemBytes(Object.fromEntries(attributes)));
  };
  return { most, onProgress };
}

describe('key order', () => {
  test('runs as many records side by side as maxConcurrency says, one of each key', async () => {
    const running = new Map<string, number>();
    let most = 0;
    const handler = lockstepConsumer({
      value: text,
      idempotencyKey: byPosition,
      order: 'key',
      maxConcurrency: 4,
      onRecord: async ({ key }) => {
        running.set(key ?? '', (running.get(key ?? '') ?? 0) + 1);
        expect(running.get(key ?? '')).toBe(1);
        most = Math.max(most, running.size);
        await new Promise((resolve) => setImmediate(resolve));
        running.delete(key ?? '');
      },
    });

    await deliver(handler, keyed(Array.from({ length: 60 }, (_, index) => `k${index % 7}`)));

    expect(most).toBe(4);
  });

  test('orders records without a key by nothing', async () => {
    const { handler, handled } = noting((key) => key === '');

    const { deadLetters } = await deliver(handler, keyed(['a', null, 'b', null]));

    expect(handled).toEqual([0, 2]);
    expect(deadLetters.map(({ origin }) => origin.offset).toSorted()).toEqual([1, 3]);
  });

  test('remembers what ran ahead of a failing key: what comes back is not run again', async () => {
    const { handler, handled } = noting((key) => key === 'bad');

    const { answers, outcomes } = await deliver(handler, keyed(['bad', 'a', 'bad', 'b', 'a']), {
      crash: { afterRun: 7 },
    });

    expect(handled).toEqual([1, 3, 4]);
    expect(answers[0]?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier.offset)).toEqual([0, 1, 2, 3, 4]);
    expect(outcomes).toMatchObject({ 'orders-0@0': 'deadLettered', 'orders-0@2': 'deadLettered' });
  });

  test('waits in no invocation for the idempotency key of a record that cannot start in it', async () => {
    let failures = 0;
    const ran: string[] = [];
    const deadlines: number[] = [];
    const handler = lockstepConsumer({
      value: text,
      order: 'key',
      retry: { inlineRetries: 0 },
      idempotencyKey: ({ value }) => value ?? '',
      onRecord: ({ key, value }, { deadline }) => {
        deadlines.push(deadline);
        if (value === 'first' && ++failures <= 2) throw new Error('not yet');
        ran.push(`${key} ${value}`);
      },
    });
    const one = (key: string, value: string) => record({ key, value: Buffer.from(value) });

    // The second record of `bad` stays behind the first, and its key is that of a record of `good`.
    const { outcomes } = await deliver(handler, [one('bad', 'first'), one('bad', 'same'), one('good', 'same')]);

    expect(ran).toEqual(['bad first', 'bad same']);
    expect(outcomes['orders-0@2']).toBe('duplicate');
    // Had it waited, it would have been until the deadline of the first invocation, a minute later.
    expect((deadlines[1] ?? 0) - (deadlines[0] ?? 0)).toBeLessThan(30_000);
  });

  test('starts nothing new while 200 records wait to be tried again, and forgets none of them', async () => {
    let failures = 0;
    const { handler, handled, started } = noting(() => ++failures <= 600, {
      retry: { maxAttempts: Number.POSITIVE_INFINITY, inlineRetries: 0 },
    });
    const { most, onProgress } = watch();
    const records = keyed(Array.from({ length: 1_000 }, (_, index) => `k${index}`));

    const { outcomes } = await deliver(handler, records, { onProgress });

    expect(most.blockedRecords).toBeGreaterThanOrEqual(200);
    expect(most.blockedRecords).toBeLessThan(220);
    expect(most.bytes).toBeLessThan(ITEM_LIMIT_BYTES);
    expect(Math.max(...started.slice(0, 600))).toBeLessThan(220);
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['handled']));
  });

  test('lets 1,000 ranges run ahead of a failing key at most, and gets through them', async () => {
    let failures = 0;
    const { handler, handled } = noting((key) => key === 'bad' && ++failures <= 20);
    const { most, onProgress } = watch();
    const keys = Array.from({ length: 4_000 }, (_, index) => (index % 2 === 0 ? 'bad' : `k${index}`));

    const { deadLetters } = await deliver(handler, keyed(keys), { onProgress });

    expect(most.ranges).toBeGreaterThanOrEqual(1_000);
    expect(most.ranges).toBeLessThan(1_020);
    expect(most.bytes).toBeLessThan(ITEM_LIMIT_BYTES);
    expect(deadLetters.map(({ origin }) => origin.offset)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    // Each other record once, though most came back again and again.
    expect(handled).toHaveLength(3_990);
    expect(new Set(handled).size).toBe(3_990);
  });
});
