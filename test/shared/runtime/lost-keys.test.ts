import { expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { FRESH_PROGRESS } from '../../../shared/decide/progress.ts';
import { type ConsumerOptions, lockstepConsumer, NonRetryableError, text } from '../../../shared/lockstep-consumer.ts';
import type { IdempotencyKeyStore } from '../../../shared/ports/idempotency-key-store.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { ledgerKey } from '../../../shared/record/item-identifier.ts';
import type { Ports } from '../../../shared/runtime/consumer.ts';
import { DeliveryWorld } from '../../../shared/testing/delivery-world.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';

/** A function whose table answers as `change` has it, and what its handler was called with: key of the record, attempt. */
function aFunction(onRecord: NonNullable<ConsumerOptions<string | null>['onRecord']>) {
  const world = new DeliveryWorld({ timeoutMs: 120_000 });
  const store = fakeIdempotencyKeyStore();
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: ({ key }) => key ?? '',
    retry: { inlineRetries: 0 },

    tuning: { haltedAnswerDelayMs: 0 },
    onRecord,
  });
  /** Delivers records of these keys from the first offset on; returns the offsets that must come back. */
  const deliver = async (keys: string, change: (ports: Ports) => Partial<Ports> = () => ({})) => {
    const connection = world.newProcess();
    const ports: Ports = { ...connection.ports, keys: store };
    const event = kafkaEvent([...keys].map((key, offset) => record({ key, offset, value: Buffer.from('v') })));
    const changed = { ...connection, ports: { ...ports, ...change(ports) } };
    const answer = invokeWith(handler, changed, event, world.context());
    const { batchItemFailures } = await world.clock.runUntilSettled(answer);
    return batchItemFailures.map(({ itemIdentifier: { offset } }) => offset);
  };
  return { world, store, deliver };
}

test('keys that cannot be given back do not keep progress from being written, and others can take them', async () => {
  const calls: string[] = [];
  const { deliver, world } = aFunction(({ key }, { attempt }) => {
    calls.push(`${key}${attempt}`);
    if (key === 'b' && attempt === 1) throw new Error('not now');
  });
  const refused = new StoreError('no right to delete', { transient: false });
  const giveBack: IdempotencyKeyStore['giveBack'] = async (returns) =>
    returns.map(() => ({ type: 'unknown', error: refused }));

  expect(await deliver('abc', ({ keys }) => ({ keys: { ...keys, giveBack } }))).toEqual([1, 2]);
  expect(world.delivery().metrics['LedgerUnavailable']).toBe(1);
  await world.clock.advance(60_000);
  expect(await deliver('abc')).toEqual([]);

  expect(calls).toEqual(['a1', 'b1', 'b2', 'c1']);
});

test('a key that cannot be given back does not undo its record’s letter', async () => {
  const calls: string[] = [];
  const { deliver, world } = aFunction(({ key }) => {
    calls.push(String(key));
    if (key === 'a' && calls.length === 1) throw new NonRetryableError('refused', { code: 'ORDER_UNKNOWN' });
  });
  const refused = new StoreError('no right to delete', { transient: false });
  const giveBack: IdempotencyKeyStore['giveBack'] = async (returns) =>
    returns.map(() => ({ type: 'unknown', error: refused }));

  expect(await deliver('ab', ({ keys }) => ({ keys: { ...keys, giveBack } }))).toEqual([]);
  expect(await deliver('ab')).toEqual([]);

  expect(calls).toEqual(['a', 'b']);
  expect(world.delivery().deadLetters).toHaveLength(1);
});

test('a record whose key others may have taken while it was waited for does not run', async () => {
  const calls: number[] = [];
  const { deliver, world, store } = aFunction(({ offset }) => {
    calls.push(offset);
    if (offset === 0) throw new NonRetryableError('refused', { code: 'ORDER_UNKNOWN' });
  });
  let standsStill = false;
  /** The second record claims the key once the first has its letter; before it gets the answer, our lease has ended and was renewed. */
  const slowly = ({ keys, ledger, clock }: Ports): Partial<Ports> => ({
    keys: {
      ...keys,
      async claim(requests) {
        const answers = await keys.claim(requests);
        if (calls.length === 0) return answers;
        standsStill = true;
        await clock.sleep(22_000);
        const [[key, ours] = []] = [...store.items];
        if (key === undefined || ours === undefined) throw new Error('the key was not claimed');
        const theirs = { ...ours, claimedBy: { ledgerKey: 'partition#c#deliver#orders#1', epoch: 1 } };
        await keys.claim([{ key, item: theirs, replaces: ours }]);
        await keys.complete([{ key, item: theirs }]);
        await clock.sleep(8_000);
        return answers;
      },
    },
    ledger: {
      ...ledger,
      async write(request) {
        if (standsStill) {
          standsStill = false;
          await clock.sleep(16_000);
        }
        return ledger.write(request);
      },
    },
  });

  expect(await deliver('aa', slowly)).toEqual([1]);
  await world.clock.advance(60_000);
  expect(await deliver('aa')).toEqual([]);

  expect(calls).toEqual([0]);
  expect(Object.values(world.delivery().outcomes)).toEqual(['deadLettered', 'duplicate']);
});

test('what was settled is written though the key of a later record cannot be asked for', async () => {
  const calls: string[] = [];
  const { deliver, world } = aFunction(({ offset }, { attempt }) => {
    calls.push(`${offset}.${attempt}`);
    if (offset === 0) throw new NonRetryableError('refused', { code: 'ORDER_UNKNOWN' });
  });
  const refused = new StoreError('no right to put', { transient: false });
  const denied = ({ keys }: Ports): Partial<Ports> => ({
    keys: {
      ...keys,
      claim: async (requests) =>
        calls.length === 0 ? keys.claim(requests) : requests.map(() => ({ type: 'unknown', error: refused })),
    },
  });

  expect(await deliver('aa', denied)).toEqual([1]);
  expect(world.delivery().metrics['LedgerUnavailable']).toBe(1);
  await world.clock.advance(60_000);
  expect(await deliver('aa')).toEqual([]);

  expect(calls).toEqual(['0.1', '1.1']);
  expect(world.delivery().deadLetters).toHaveLength(1);
});

test('a record whose key another partition holds says so in each invocation: nothing else would', async () => {
  const calls: string[] = [];
  const { deliver, world } = aFunction(({ key }) => void calls.push(String(key)));
  const other = { cluster: 'c', group: 'deliver', topic: 'orders', partition: 7 };
  const claimedBy = { ledgerKey: ledgerKey(other), epoch: 4 };
  const held = ({ keys, ledger, clock }: Ports): Partial<Ports> => ({
    keys: {
      ...keys,
      claim: async (requests) =>
        requests.map(({ item }) => ({
          type: 'held',
          item: { ...item, position: 'orders-7@3', claimedBy, status: 'IN_PROGRESS' },
        })),
    },
    ledger: {
      ...ledger,
      // Whoever holds the key lives.
      read: async () => ({
        ...{ epoch: 4, rev: 9, owner: 'other', leaseUntil: clock.now() + 900_000, claims: [] },
        progress: FRESH_PROGRESS,
      }),
    },
  });

  expect([await deliver('a', held), await deliver('a', held)]).toEqual([[0], [0]]);

  const said = world.delivery().logs.filter(({ text: line }) => line.includes('waits for its idempotency key'));
  expect(calls).toEqual([]);
  expect(said.map(({ level, fields }) => [level, fields])).toEqual([
    ['info', { topic: 'orders', partition: 0, offset: 0 }],
    ['info', { topic: 'orders', partition: 0, offset: 0 }],
  ]);
});
