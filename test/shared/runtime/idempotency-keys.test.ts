import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { decideKey } from '../../../shared/decide/idempotency.ts';
import { type ConsumerOptions, json } from '../../../shared/lockstep-consumer.ts';
import type { CommonOptions } from '../../../shared/options.ts';
import { resolveOptions } from '../../../shared/options.ts';
import type { IdempotencyKeyStore, KeyReturn } from '../../../shared/ports/idempotency-key-store.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { DeliveredRecord } from '../../../shared/record/delivered-record.ts';
import { keyedContentHash, ledgerKeyOfIdempotencyKey } from '../../../shared/runtime/idempotency-key-text.ts';
import { IdempotencyKeys } from '../../../shared/runtime/idempotency-keys.ts';
import { KeyClaims } from '../../../shared/runtime/key-claims.ts';
import { DeliveryWorld } from '../../../shared/testing/delivery-world.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';

/** Keys of a partition that is held under epoch 3, on a clock whose pauses take no time. */
function aHold(
  change: (store: IdempotencyKeyStore) => IdempotencyKeyStore = (store) => store,
  settings: Partial<CommonOptions<unknown>> = {},
) {
  const options: ConsumerOptions<unknown> = {
    value: json(),
    idempotencyKey: ({ position }) => position,
    onRecord: () => undefined,
    ...settings,
  };
  const { policy } = resolveOptions(options, { consumerGroup: 'billing', failureMode: 'report' });
  const world = new DeliveryWorld({});
  const { ports } = world.newProcess();
  const store = fakeIdempotencyKeyStore();
  const clock = { now: () => world.clock.now(), sleep: async () => undefined };
  const holder = { ledgerKey: 'partition#c#billing#orders#0', epoch: 3 };
  const lease = { lapses: 0 };
  const patient = { ...ports, clock, keys: change(store) };
  const claims = new KeyClaims(holder, patient, policy, Number.POSITIVE_INFINITY, () => lease.lapses);
  return { keys: new IdempotencyKeys(claims, 'billing'), store, clock: world.clock, lease };
}

const theKeys = () => aHold().keys;

function keyed(offset: number, value = 'same') {
  const record = new DeliveredRecord({ topic: 'orders', partition: 0, offset, timestamp: 1, value });
  return { record, idempotencyKey: 'order-7', contentHash: record.valueHash };
}

test('a record that is looked at after a later one of its key still comes before it', async () => {
  const keys = theKeys();
  const [first, last] = [keyed(3), keyed(9)];
  await keys.prepare([last]);
  await keys.prepare([first]);

  expect(await keys.verdict(first.record)).toEqual({ type: 'run' });
  expect(keys.waitsFor(last.record)).toBe(first.record);
  keys.handled(first.record);
  expect(await keys.verdict(last.record)).toEqual({ type: 'duplicate' });
});

test('it lines up between two that were looked at before it', async () => {
  const keys = theKeys();
  const [first, second, third] = [keyed(3), keyed(5), keyed(9)];
  await keys.prepare([first, third]);
  await keys.prepare([second]);

  expect(keys.waitsFor(second.record)).toBe(first.record);
  expect(keys.waitsFor(third.record)).toBe(second.record);
});

test('it is a duplicate of a later one that ran ahead of it', async () => {
  const keys = theKeys();
  const [first, last] = [keyed(3), keyed(9)];
  await keys.prepare([last]);
  expect(await keys.verdict(last.record)).toEqual({ type: 'run' });
  keys.handled(last.record);
  await keys.prepare([first]);

  expect(await keys.verdict(first.record)).toEqual({ type: 'duplicate' });
});

test('it takes the key from a later one that stays open in this invocation', async () => {
  const keys = theKeys();
  const [first, last] = [keyed(3), keyed(9)];
  await keys.prepare([last]);
  keys.open(last.record);
  await keys.prepare([first]);

  expect(await keys.verdict(first.record)).toEqual({ type: 'run' });
});

test('a return that lands late leaves the key to the record that has taken it since', async () => {
  const late: KeyReturn[] = [];
  const { keys, store } = aHold((real) => ({
    ...real,
    async giveBack(returns) {
      if (late.length > 0) return real.giveBack(returns);
      late.push(...returns);
      return returns.map(() => ({ type: 'unknown', error: new StoreError('no answer', { transient: true }) }));
    },
  }));
  const [first, last] = [keyed(3), keyed(9)];
  await keys.prepare([first, last]);
  await keys.deadLettered(first.record);
  expect(await keys.verdict(last.record)).toEqual({ type: 'run' });

  await store.giveBack(late);

  const completion = keys.handled(last.record);
  expect(completion && (await store.complete([completion]))).toEqual([{ type: 'completed' }]);
});

test('after the lease ended for a while a key is claimed again: an invocation that saw our lease end does not take it when we are back', async () => {
  const { keys, store, clock, lease } = aHold();
  const value = keyed(3);
  const { record } = value;
  await keys.prepare([value]);
  const [entry] = [...store.items];
  if (entry === undefined) throw new Error('no key was claimed');
  const [key, seen] = entry;
  await clock.advance(20_000);
  lease.lapses++;
  expect(await keys.verdict(record)).toEqual({ type: 'run' });

  const theirs = {
    ...seen,
    position: 'orders-1@7',
    claimedBy: { ledgerKey: 'partition#c#billing#orders#1', epoch: 1 },
  };
  const [answer] = await store.claim([{ key, item: theirs, replaces: seen }]);

  expect(answer).toMatchObject({ type: 'held', item: { position: 'orders-0@3' } });
  expect(await keys.verdict(record)).toEqual({ type: 'run' });
});

test('a claim lasts as long as any invocation, however soon completed keys expire', async () => {
  const { keys, store, clock } = aHold(undefined, { keyTtlSeconds: 60 });
  const value = keyed(3);
  const { record } = value;
  await keys.prepare([value]);
  const [claim] = store.items.values();
  if (claim === undefined) throw new Error('no key was claimed');
  const seeker = {
    position: 'orders-1@7',
    valueHash: record.valueHash,
    holder: { ledgerKey: 'partition#c#billing#orders#1', epoch: 1 },
  };
  const longestInvocationMs = 900_000;

  expect(decideKey(claim, seeker, clock.now() + longestInvocationMs)).toEqual({ type: 'held' });
  expect(keys.handled(record)?.item.expiresAt).toBe(clock.now() / 1_000 + 60);
});

test('keys that differ in half a character are different keys', () => {
  const [high, low] = ['order-\ud800', 'order-\udc00'].map((key) => ledgerKeyOfIdempotencyKey('billing', key));

  expect(high).not.toBe(low);
  // Nor is one of them what another is made of.
  expect(high).not.toBe(ledgerKeyOfIdempotencyKey('billing', JSON.stringify('order-\ud800')));
  expect(ledgerKeyOfIdempotencyKey('billing', 'order-7')).toBe(
    'key#billing#df8cf80227ec3237922df0ecd88385c546e4a31bdb8127b033f01e6f21f175df',
  );
});

test('keys and contents that are hashed with a secret cannot be found by guessing, and stay what they are', () => {
  const [ours, theirs] = [Buffer.alloc(32, 'ours'), Buffer.alloc(32, 'theirs')];
  const key = ledgerKeyOfIdempotencyKey('billing', 'alice@example.com', ours);

  expect(key).toMatch(/^key#billing#hmac:[0-9a-f]{64}$/);
  expect(ledgerKeyOfIdempotencyKey('billing', 'alice@example.com', ours)).toBe(key);
  expect(ledgerKeyOfIdempotencyKey('billing', 'alice@example.com', theirs)).not.toBe(key);
  expect(ledgerKeyOfIdempotencyKey('billing', 'bob@example.com', ours)).not.toBe(key);
  // As a letter, a marker or an entry that is signed with the same secret would be.
  for (const text of ['alice@example.com', '"alice@example.com"', 'text\nalice@example.com'])
    expect(key).not.toContain(createHmac('sha256', ours).update(text).digest('hex'));
  expect(['47DEQpj8', 'J47DEQpj8', 'C47DEQpj8'].map((hash) => keyedContentHash(hash, ours))).toEqual([
    expect.stringMatching(/^[\w-]{8}$/),
    expect.stringMatching(/^J[\w-]{8}$/),
    expect.stringMatching(/^C[\w-]{8}$/),
  ]);
  expect(keyedContentHash('47DEQpj8', ours)).not.toBe(keyedContentHash('47DEQpj8', theirs));
});
