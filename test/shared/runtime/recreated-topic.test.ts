import { describe, expect, test } from 'vitest';
import { decideChange } from '../../../shared/decide/operator.ts';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { byPosition, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import type { LedgerStore } from '../../../shared/ports/ledger-store.ts';
import type { RawRecord } from '../../../shared/record/delivered-record.ts';
import type { KafkaEvent } from '../../../shared/record/kafka-event.ts';
import type { OnRecord } from '../../../shared/runtime/consumer.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { PartitionWorld } from '../../fixtures/partition-world.ts';

const BORN = Date.UTC(2026, 0, 1);
const A_DAY = 86_400_000;

/** Ten records from `batch * 10` on, a millisecond apart. */
const tenOf = (life: string, batch: number, from: number) =>
  kafkaEvent(
    Array.from({ length: 10 }, (_, index) => {
      const offset = batch * 10 + index;
      return record({ offset, timestamp: from + offset, value: Buffer.from(`${life}${offset}`) });
    }),
  );

function consumer({
  onRecord,
  ...options
}: Partial<CommonOptions<string | null>> & { onRecord?: OnRecord<string | null> } = {}) {
  const handled: (string | null)[] = [];
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    ...options,
    onRecord: onRecord ?? (({ value }) => void handled.push(value)),
  });
  return { handler, handled };
}

/** A hundred batches: more than the ledger remembers. */
async function livedLong(world: PartitionWorld): Promise<void> {
  for (let batch = 0; batch < 100; batch++) await world.sendAll(tenOf('old', batch, BORN));
}

/** What an operator says about the partition while nobody holds it. */
function deciding(type: 'acceptAsDuplicates' | 'acceptToRun' | 'reset', once: { due: boolean }) {
  return (ledger: LedgerStore): LedgerStore => ({
    ...ledger,
    claim: async (request) => {
      const answer = await ledger.claim(request);
      if (!once.due || answer.type !== 'granted') return answer;
      once.due = false;
      const decided = decideChange(answer.item.progress, { type }, request.now);
      if (decided.type === 'refused') throw new Error(decided.why);
      const item: PartitionItem = { ...answer.item, progress: decided.progress };
      return { type: 'granted', item };
    },
  });
}

describe('of a recreated topic whose history is longer than the ledger’s memory, with newer records', () => {
  test('all run where replays are skipped', async () => {
    const { handler, handled } = consumer({ onReplay: 'skip' });
    const world = new PartitionWorld(handler);
    await livedLong(world);

    for (let batch = 0; batch < 30; batch++) await world.sendAll(tenOf('new', batch, BORN + A_DAY));

    expect(handled.filter((value) => value?.startsWith('new'))).toHaveLength(300);
    expect(world.delivery.metrics['TopicsRecreated']).toBe(1);
  });

  test('none is skipped by an operator’s earlier decision about a replay: the partition is halted with its alarm', async () => {
    const { handler, handled } = consumer();
    const once = { due: false };
    const world = new PartitionWorld(handler, {}, deciding('acceptAsDuplicates', once));
    await livedLong(world);
    await world.send(tenOf('old', 0, BORN));
    once.due = true;
    const replayed = await world.sendAll(tenOf('old', 0, BORN));

    const left = await world.sendAll(tenOf('new', 0, BORN + A_DAY), 3);

    expect(replayed).toBeUndefined();
    expect(left?.records['orders-0']).toHaveLength(10);
    expect(handled).toHaveLength(1_000);
    expect(world.delivery.metrics['ReplayHalted']).toBe(4);
  });
});

describe('what comes back in another form of its value', () => {
  const valueSchemaMetadata = { dataFormat: 'AVRO', schemaId: '7' };
  const event = (value: (offset: number) => string | Buffer, more: object = {}): KafkaEvent =>
    kafkaEvent(
      Array.from({ length: 20 }, (_, offset) => ({
        ...record({ offset, key: `k${offset % 10}`, value: Buffer.from(value(offset)) }),
        ...(more as Partial<RawRecord>),
      })),
    );
  const framed = event((offset) => Buffer.from([0, 0, 0, 0, 7, 2, offset]));
  const asSource = event((offset) => Buffer.from([2, offset]), { valueSchemaMetadata });
  const asJson = event((offset) => `{"n":${offset}}`, { valueSchemaMetadata });

  test.each([
    ['a schema registry was switched on', framed, asJson],
    ['a schema registry was switched off', asJson, framed],
    ['EventRecordFormat went from JSON to SOURCE', asJson, asSource],
    ['EventRecordFormat went from SOURCE to JSON', asSource, asJson],
  ])('is known again while a record blocks: %s', async (_, before, after) => {
    for (const order of ['key', 'partition'] as const) {
      let isBad = true;
      const runs: number[] = [];
      const { handler } = consumer({
        order,
        retry: { maxAttempts: Number.POSITIVE_INFINITY, inlineRetries: 0 },
        onRecord: ({ offset }) => {
          if (offset === 5 && isBad) throw new Error('not yet');
          runs.push(offset);
        },
      });
      const world = new PartitionWorld(handler);
      await world.send(before);
      await world.send(before);
      isBad = false;

      const left = await world.sendAll(after);

      expect(left).toBeUndefined();
      expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, offset) => offset));
      expect(world.delivery.metrics['TopicsRecreated']).toBeUndefined();
      expect(world.delivery.metrics['ReplayHalted']).toBeUndefined();
    }
  });

  test('and may be another record halts, and goes on as an operator decides', async () => {
    for (const [type, runsAgain] of [
      ['acceptAsDuplicates', []],
      ['acceptToRun', [0]],
      ['reset', Array.from({ length: 20 }, (_, offset) => offset)],
    ] as const) {
      const runs: number[] = [];
      const once = { due: false };
      const { handler } = consumer({ onRecord: ({ offset }) => void runs.push(offset) });
      const world = new PartitionWorld(handler, {}, deciding(type, once));
      await world.sendAll(event((offset) => `a${offset}`));
      const other = event((offset) => `b${offset}`);
      const left = await world.sendAll(other, 2);
      const before = runs.length;
      once.due = true;

      const leftAfter = await world.sendAll(other);

      expect(left?.records['orders-0']).toHaveLength(20);
      expect(leftAfter).toBeUndefined();
      expect(runs.slice(before)).toEqual(runsAgain);
      expect(world.delivery.metrics).toMatchObject({ ReplayHalted: 2 });
      expect(world.delivery.logs.find(({ level }) => level === 'error')).toMatchObject({
        text: expect.stringContaining('a known record came back with the same timestamp and another value'),
        fields: { topic: 'orders', partition: 0, offset: 0 },
      });
    }
  });
});
