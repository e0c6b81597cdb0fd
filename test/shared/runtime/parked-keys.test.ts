import type { Context } from 'aws-lambda';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { readParked } from '../../../shared/decide/letter-headers.ts';
import { NonRetryableError } from '../../../shared/errors.ts';
import {
  type ConsumerRecord,
  json,
  type LockstepHandler,
  lockstepConsumer,
} from '../../../shared/lockstep-consumer.ts';
import { byPosition, type RetryOptions } from '../../../shared/options.ts';
import type { DeadLetter } from '../../../shared/ports/dead-letter-publisher.ts';
import type { LedgerPartition } from '../../../shared/record/item-identifier.ts';
import { parkedKeyOf } from '../../../shared/record/item-identifier.ts';
import { type ReleaseEvent, releasedLetter } from '../../../shared/release/release-event.ts';
import type { ReleaseAnswer } from '../../../shared/release/run-release.ts';
import type { Ports } from '../../../shared/runtime/consumer.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { countingLedger } from '../../../shared/testing/counting-ledger-store.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';

const PLACE: LedgerPartition = { cluster: 'uuid-1', group: 'stock', topic: 'orders', partition: 0 };
const eventSourceArn = 'arn:aws:kafka:eu-central-1:111122223333:cluster/shop/uuid-1';

const CHANGE = v.object({ sku: v.string(), does: v.string() });
type Change = v.InferOutput<typeof CHANGE>;

/** A consumer that parks keys, its ledger, and its dead-letter topic. */
function aStock(retry: RetryOptions = {}) {
  const clock = new VirtualClock();
  const keys = fakeIdempotencyKeyStore();
  const fake = fakeLedgerStore({ keys });
  const ledger = countingLedger(fake);
  const letters: DeadLetter[] = [];
  const looks: (readonly string[])[] = [];
  const broken = new Set<string>();
  const handled: string[] = [];
  const attempts: number[] = [];
  let takesLetters = true;
  let ids = 0;
  const seen: ConsumerRecord<Change>[] = [];
  const handler = lockstepConsumer({
    value: json(CHANGE),
    idempotencyKey: byPosition,
    order: 'key',
    retry: { maxAttempts: 1, inlineRetries: 0, onExhausted: 'park', ...retry },
    onRecord: (one, context) => {
      attempts.push(context.attempt);
      if (broken.has(one.value.does)) throw new NonRetryableError('refused', { code: 'REFUSED' });
      seen.push(one);
      handled.push(one.value.does);
    },
  });
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const ports: Ports = {
    ledger,
    parkedKeys: {
      ...fake.parkedKeys,
      look: (partition, names) => {
        looks.push(names);
        return fake.parkedKeys.look(partition, names);
      },
    },
    keys,
    letters: {
      publish: async (letter) => {
        if (!takesLetters) throw new Error('refused');
        letters.push(letter);
      },
      disconnect: async () => undefined,
    },
    fallback: {
      send: async () => {
        throw new Error('refused');
      },
    },
    producer: { produce: async () => undefined },
    clock,
    secret: fakeStackSecret,
    entropy: { random: () => 0.5, id: () => `id-${ids++}` },
    telemetry: { log: quiet, count: () => {} },
    sandbox: new Sandbox(),
    endProcess: () => {},
    group: PLACE.group,
  };
  const invoke = async <E, R>(of: (event: E, context: Context) => Promise<R>, event: E): Promise<R> => {
    const deadline = clock.now() + 60_000;
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => deadline - clock.now() } as Context;
    const environment = { consumerGroup: PLACE.group, failureMode: 'report' as const };
    const connection = { ports, environment, deployment: undefined, begin: () => {}, flush: () => {} };
    return clock.runUntilSettled(invokeWith(of, connection, event, context));
  };
  const send = (handle: LockstepHandler, from: number, changes: readonly [sku: string | null, does: string][]) => {
    const records = changes.map(([sku, does], index) =>
      record({ offset: from + index, key: sku, value: { sku: sku ?? '', does } }),
    );
    return invoke(handle, kafkaEvent(records, { eventSourceArn }));
  };
  return {
    clock,
    ports,
    fake,
    counts: ledger.counts,
    looks,
    letters,
    broken,
    handled,
    attempts,
    seen,
    refuseLetters: (refuses: boolean) => {
      takesLetters = !refuses;
    },
    send: (from: number, changes: readonly [sku: string | null, does: string][]) => send(handler, from, changes),
    item: async (sku: string) => fake.parkedKeys.read({ ...PLACE, parkedKey: parkedKeyOf(Buffer.from(sku)) }),
    release: async (sku: string, change: Partial<ReleaseEvent> = {}) => {
      const parkedKey = parkedKeyOf(Buffer.from(sku));
      const item = await fake.parkedKeys.read({ ...PLACE, parkedKey });
      const own = letters.filter(
        (letter) => readParked(letter.headers)?.sequence === (change.sequence ?? item?.sequence),
      );
      const event: ReleaseEvent = {
        lockstep: 'release',
        cluster: PLACE.cluster,
        topic: PLACE.topic,
        partition: 0,
        parkedKey,
        sequence: item?.sequence ?? 'none',
        letters: own.map((letter, offset) => releasedLetter({ ...letter, partition: 0, offset })),
        ...change,
      };
      return (await invoke(handler as never, event)) as ReleaseAnswer;
    },
  };
}

describe('a record that is given up on', () => {
  test('parks its key: later records of the key wait behind it, untried, and other keys run on', async () => {
    const { send, broken, handled, letters, item } = aStock();
    broken.add('add 100');

    const answer = await send(10, [
      ['a', 'add 100'],
      ['b', 'add 1'],
      ['a', 'remove 50'],
      ['a', 'remove 20'],
      ['b', 'remove 1'],
    ]);

    expect(answer).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual(['add 1', 'remove 1']);
    expect(letters.map(({ origin, headers }) => [origin.offset, readParked(headers)?.ordinal])).toEqual([
      [10, 1],
      [12, 2],
      [13, 3],
    ]);
    expect(await item('a')).toMatchObject({ tail: 3, behind: 'orders-0@10', key: 'YQ==' });
    expect(await item('b')).toBeUndefined();
  });

  test('without a key it is dead-lettered as ever', async () => {
    const { send, broken, letters, fake } = aStock();
    broken.add('x');

    await send(0, [[null, 'x']]);

    expect(letters.map(({ headers }) => readParked(headers))).toEqual([undefined]);
    expect(fake.peekParked(PLACE)).toEqual([]);
  });

  test('what comes in later batches waits too, whatever the options say then', async () => {
    const { send, broken, handled, letters } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    broken.clear();

    await send(1, [
      ['a', 'y'],
      ['b', 'z'],
    ]);

    expect(handled).toEqual(['z']);
    expect(letters.map(({ headers }) => readParked(headers)?.ordinal)).toEqual([1, 2]);
  });

  test('beyond the limit its key stands still, unmarked', async () => {
    const { send, broken, item } = aStock({ maxParkedPerKey: 2 });
    broken.add('x');

    const answer = await send(0, [
      ['a', 'x'],
      ['a', 'y'],
      ['a', 'z'],
    ]);

    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: { partition: 'orders-0', offset: 2 } }]);
    expect(await item('a')).toMatchObject({ tail: 2 });
  });

  test('whose letter nobody takes keeps its ordinal, and nothing more is marked meanwhile', async () => {
    const { send, broken, refuseLetters, letters, item } = aStock();
    broken.add('x');
    refuseLetters(true);
    await send(0, [
      ['a', 'x'],
      ['a', 'y'],
    ]);
    expect(await item('a')).toMatchObject({ tail: 1 });
    refuseLetters(false);

    await send(0, [
      ['a', 'x'],
      ['a', 'y'],
    ]);

    expect(letters.map(({ origin, headers }) => [origin.offset, readParked(headers)?.ordinal])).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });
});

describe('requests', () => {
  test('with nothing parked a batch costs two writes and no read', async () => {
    const { send, counts, looks } = aStock();

    await send(0, [
      ['a', 'x'],
      ['b', 'y'],
    ]);

    expect(counts).toEqual({ claims: 1, writes: 1, reads: 0 });
    expect(looks).toEqual([]);
  });

  test('a hundred followers of a parked key cost five requests beside their letters', async () => {
    const { send, broken, counts, looks, letters } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    Object.assign(counts, { claims: 0, writes: 0, reads: 0 });

    await send(
      1,
      Array.from({ length: 100 }, (_, index) => ['a', `follower ${index}`] as [string, string]),
    );

    expect(letters).toHaveLength(101);
    // The claim, one look, the marks of fifty records twice, the commit.
    expect(counts).toEqual({ claims: 1, writes: 3, reads: 0 });
    expect(looks).toHaveLength(1);
  });

  test('once the last key is free a batch costs what it cost before', async () => {
    const { send, broken, counts, looks, release } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    broken.clear();
    await release('a');
    Object.assign(counts, { claims: 0, writes: 0, reads: 0 });
    looks.length = 0;

    await send(1, [['a', 'y']]);

    expect(counts).toEqual({ claims: 1, writes: 1, reads: 0 });
    expect(looks).toEqual([]);
  });
});

describe('a release', () => {
  test('runs what waits in order, first the one that failed, where it came from, and frees the key', async () => {
    const { send, broken, handled, attempts, seen, release, item } = aStock();
    broken.add('add 100');
    await send(10, [
      ['a', 'add 100'],
      ['b', 'add 1'],
      ['a', 'remove 50'],
    ]);
    broken.clear();
    handled.length = 0;
    attempts.length = 0;

    const answer = await release('a');

    expect(answer).toEqual({ batchItemFailures: [], end: 'freed', settled: 2, gone: 0 });
    expect(handled).toEqual(['add 100', 'remove 50']);
    expect(attempts).toEqual([2, 1]);
    expect(seen.slice(-2).map(({ position, key, offset }) => [position, key, offset])).toEqual([
      ['orders-0@10', 'a', 10],
      ['orders-0@12', 'a', 12],
    ]);
    expect(await item('a')).toBeUndefined();
  });

  test('stops at the record that still fails, and nothing is dead-lettered', async () => {
    const { send, broken, handled, letters, release, item } = aStock();
    broken.add('x');
    await send(0, [
      ['a', 'x'],
      ['a', 'y'],
    ]);
    handled.length = 0;

    const answer = await release('a');

    expect(answer).toMatchObject({ end: 'halted', settled: 0, next: 1, why: 'it failed' });
    expect(handled).toEqual([]);
    expect(letters).toHaveLength(2);
    expect(await item('a')).toMatchObject({ tail: 2, progress: { settled: [] } });
  });

  test('of a key that is not parked changes nothing', async () => {
    const { send, broken, handled, release, letters, fake } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    broken.clear();
    const before = [fake.peek(PLACE), letters.length];

    const answer = await release('b', { sequence: 'id-1', letters: [] });

    expect(answer.end).toBe('notParked');
    expect([fake.peek(PLACE), letters.length]).toEqual(before);
    expect(handled).toEqual([]);
  });

  test('a late event of an earlier park runs nothing of a key that was parked anew', async () => {
    const { send, broken, handled, release, item } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    const first = (await item('a'))?.sequence ?? '';
    broken.clear();
    await release('a');
    broken.add('y');
    await send(1, [['a', 'y']]);
    handled.length = 0;

    const answer = await release('a', { sequence: first });

    expect(answer.end).toBe('notParked');
    expect(handled).toEqual([]);
    expect(await item('a')).toMatchObject({ tail: 1 });
  });

  test('a forged letter, or one of another place, is left out, and nothing behind it runs', async () => {
    const { send, broken, handled, letters, release, item } = aStock();
    broken.add('x');
    await send(0, [
      ['a', 'x'],
      ['a', 'y'],
    ]);
    broken.clear();
    handled.length = 0;
    const real = letters.map((letter, offset) => releasedLetter({ ...letter, partition: 0, offset }));
    const forged = real.map((letter, index) =>
      index === 0 ? { ...letter, value: Buffer.from('{"sku":"a","does":"evil"}').toString('base64') } : letter,
    );

    const answer = await release('a', { letters: forged });

    expect(answer).toMatchObject({ end: 'missing', settled: 0, next: 1 });
    expect(handled).toEqual([]);
    expect(await item('a')).toMatchObject({ tail: 2, progress: { settled: [] } });
  });

  test('what arrives while it runs parks behind, and the next event brings it', async () => {
    const { send, broken, handled, letters, release } = aStock();
    broken.add('x');
    await send(0, [['a', 'x']]);
    const early = letters.map((letter, offset) => releasedLetter({ ...letter, partition: 0, offset }));
    await send(1, [['a', 'y']]);
    broken.clear();
    handled.length = 0;

    expect(await release('a', { letters: early })).toMatchObject({ end: 'more', settled: 1, next: 2 });
    expect(await release('a')).toMatchObject({ end: 'freed', settled: 1 });
    expect(handled).toEqual(['x', 'y']);
  });
});
