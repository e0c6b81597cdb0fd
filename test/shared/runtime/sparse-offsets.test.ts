import { describe, expect, test } from 'vitest';
import { encodeClaim, encodeProgress } from '../../../shared/adapters/dynamodb/ledger-item.ts';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { byPosition, lockstepConsumer, PauseError, text } from '../../../shared/lockstep-consumer.ts';
import type { LedgerStore, WriteRequest } from '../../../shared/ports/ledger-store.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { itemBytes } from '../../fixtures/item-bytes.ts';
import { PartitionWorld } from '../../fixtures/partition-world.ts';
import type { SomeOptions } from '../../fixtures/record-options.ts';

/** DynamoDB's limit of an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const ITEM_LIMIT_BYTES = 409_600;

const GAPS = {
  dense: (index: number) => index,
  'transactions of three': (index: number) => index + Math.floor(index / 3),
  compacted: (index: number) => 2 * index,
} as const;

/** As compaction leaves them. */
const scattered = (index: number) => 19 * index + ((index * 7_919) % 17);

const recordsAt = (offsetOf: (index: number) => number, count: number, keys: number) =>
  Array.from({ length: count }, (_, index) =>
    record({ offset: offsetOf(index), key: `k${index % keys}`, value: Buffer.from('v') }),
  );

function consumer(options: SomeOptions<string | null>) {
  return lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    order: 'key',
    onRecord: () => undefined,
    ...options,
  });
}

function bytesOf(attributes: object): number {
  const present = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return itemBytes(Object.fromEntries(present));
}

/** Tells how large the item was at its largest, as DynamoDB counts. */
function watched() {
  const most = { bytes: 0 };
  const see = (item: PartitionItem) => {
    const claims = { L: item.claims.map(encodeClaim) };
    most.bytes = Math.max(most.bytes, bytesOf({ ...encodeProgress(item.progress), claims }));
  };
  const wrap = (ledger: LedgerStore): LedgerStore => ({
    ...ledger,
    claim: async (request) => {
      const answer = await ledger.claim(request);
      see(answer.item);
      return answer;
    },
    write: async (request: WriteRequest) => {
      const { progress, claimed, owner, release } = request;
      see({ epoch: 1, rev: 1, leaseUntil: 0, progress, claims: release ? [] : [{ owner, offsets: claimed }] });
      return ledger.write(request);
    },
  });
  return { most, wrap };
}

describe('in key order, after an interruption', () => {
  test.each(Object.entries(GAPS))('what is left of a batch runs in one invocation: %s', async (_, offsetOf) => {
    let ran = 0;
    let isPaused = false;
    let running = 0;
    let most = 0;
    const handler = consumer({
      maxConcurrency: 16,
      onRecord: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        if (++ran < 1_000 || isPaused) return;
        isPaused = true;
        most = 0;
        throw new PauseError({ resumeAfterMs: 1_000 });
      },
    });

    const { answers, metrics } = await deliver(handler, recordsAt(offsetOf, 4_500, 500));

    expect(answers).toHaveLength(2);
    expect(most).toBe(16);
    expect(metrics).toMatchObject({ RecordsHandled: 4_500 });
    expect(metrics['PartitionsFull']).toBeUndefined();
  });
});

test('an item without room says so once an invocation, with what blocks it, and goes on when that settles', async () => {
  let failures = 0;
  const handler = consumer({
    retry: { maxAttempts: Number.POSITIVE_INFINITY, inlineRetries: 0 },
    onRecord: () => {
      if (++failures <= 250) throw new Error('not yet');
    },
  });

  const { answers, metrics, logs } = await deliver(handler, recordsAt(GAPS.compacted, 400, 400));

  const lines = logs.filter(({ text: said }) => said.includes('has no room'));
  expect(metrics['PartitionsFull']).toBe(lines.length);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(answers.length);
  expect(lines[0]).toMatchObject({
    level: 'warn',
    fields: { topic: 'orders', partition: 0, firstBlocked: 0 },
  });
  expect(metrics['RecordsHandled']).toBe(400);
});

describe('the item stays below the limit of DynamoDB', () => {
  const sparseBatch = (batch: number) =>
    kafkaEvent(recordsAt((index) => batch * 200_000 + scattered(index), 10_000, 100));

  test('however many sparse batches overtake a record that blocks for ever, and they run in the end', async () => {
    let isBad = true;
    let handled = 0;
    const { most, wrap } = watched();
    const handler = consumer({
      retry: { maxAttempts: Number.POSITIVE_INFINITY, inlineRetries: 0 },
      onRecord: ({ value }) => {
        if (value === 'bad' && isBad) throw new Error('not yet');
        handled++;
      },
    });
    const world = new PartitionWorld(handler, {}, wrap);
    const blocked = kafkaEvent([record({ offset: 5, key: 'k', value: Buffer.from('bad') })]);
    await world.send(blocked);
    const batches = Array.from({ length: 5 }, (_, index) => sparseBatch(index + 1));
    for (const batch of batches) await world.send(batch);
    const waiting = world.progress?.pending.length;
    isBad = false;

    await world.sendAll(blocked);
    const left = [];
    for (const batch of batches.slice(0, 1)) left.push(await world.sendAll(batch, 3));

    // The first batch exactly, the others from first to last.
    expect(waiting).toBe(10_005);
    expect(most.bytes).toBeLessThan(ITEM_LIMIT_BYTES / 2);
    expect(left).toEqual([undefined]);
    expect(handled).toBe(10_001);
    expect(world.progress?.pending).toHaveLength(4);
    expect(world.delivery.metrics['RecordsNotRedelivered']).toBeUndefined();
  }, 60_000);

  test('however many invocations died before their first write', async () => {
    const { most, wrap } = watched();
    let deaths = 20;
    let handled = 0;
    const die = (ledger: LedgerStore): LedgerStore => ({
      ...ledger,
      claim: async (request) => {
        for (; deaths > 0; deaths--)
          await ledger.claim({ ...request, owner: `dead-${deaths}`, leaseUntil: request.now - 1 });
        return ledger.claim(request);
      },
    });
    const world = new PartitionWorld(consumer({ onRecord: () => void handled++ }), {}, (ledger) => die(wrap(ledger)));

    const left = await world.sendAll(kafkaEvent(recordsAt(scattered, 500, 100)), 1);

    expect(deaths).toBe(0);
    expect(left).toBeUndefined();
    expect(handled).toBe(500);
    // The offsets of four claims, of a kilobyte each, and the owners of 21.
    expect(most.bytes).toBeGreaterThan(4_000);
    expect(most.bytes).toBeLessThan(8_000);
  });

  test('and a batch whose claim did not fit is in the ledger before any of it runs', async () => {
    let deaths = 4;
    const seen: string[] = [];
    const world = new PartitionWorld(
      consumer({ onRecord: ({ offset }) => void seen.push(`ran ${offset}`) }),
      {},
      (ledger) => ({
        ...ledger,
        claim: async (request) => {
          for (; deaths > 0; deaths--)
            await ledger.claim({ ...request, owner: `dead-${deaths}`, leaseUntil: request.now - 1, offsets: [] });
          return ledger.claim(request);
        },
        write: async (request) => {
          seen.push(`wrote ${request.claimed.map(({ from, to }) => `${from}–${to}`)}`);
          return ledger.write(request);
        },
      }),
    );

    await world.send(kafkaEvent([record({ offset: 7, value: Buffer.from('v') })]));

    expect(seen.slice(0, 2)).toEqual(['wrote 7–7', 'ran 7']);
  });
});
