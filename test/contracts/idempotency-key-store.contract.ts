import { describe, expect } from 'vitest';
import type { KeyHolder, KeyItem } from '../../shared/decide/idempotency.ts';
import type { IdempotencyKeyStore } from '../../shared/ports/idempotency-key-store.ts';
import { type ContractResults, clausesOf } from './contract-results.ts';
import { NOW, newId } from './ledger-under-test.ts';

const US: KeyHolder = { ledgerKey: 'partition#c0ffee#billing#orders#3', epoch: 7 };
const THEM: KeyHolder = { ledgerKey: 'partition#c0ffee#billing#orders#4', epoch: 7 };

const OURS: KeyItem = {
  status: 'IN_PROGRESS',
  position: 'orders-3@1042',
  claimedBy: US,
  valueHash: '47DEQpj8HBS',
  expiresAt: 1_795_856_400,
};
const THEIRS: KeyItem = { ...OURS, position: 'orders-4@7', claimedBy: THEM };

const newKey = () => newId('key#billing#9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08');

/** What every store of idempotency keys keeps to. `open` is called once a clause. */
export function idempotencyKeyStoreContract(
  adapter: string,
  open: () => Promise<IdempotencyKeyStore>,
  results?: ContractResults,
): void {
  describe(`${adapter} as an idempotency key store`, () => {
    const clause = clausesOf('keys', adapter, results);
    const itemOf = async (keys: IdempotencyKeyStore, key: string) => (await keys.lookUp([key])).get(key);

    clause('looks up nothing of no keys, and nothing of keys that nobody claimed', async () => {
      const keys = await open();

      expect(await keys.lookUp([])).toEqual(new Map());
      expect(await keys.lookUp([newKey(), newKey()])).toEqual(new Map());
    });

    clause('grants a key that nobody claimed, and gives its item back', async () => {
      const keys = await open();
      const key = newKey();

      expect(await keys.claim({ key, item: OURS, now: NOW })).toEqual({ type: 'granted' });
      expect(await keys.lookUp([key])).toEqual(new Map([[key, OURS]]));
    });

    clause('shows the item of a key that is held, and changes nothing', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });

      expect(await keys.claim({ key, item: OURS, now: NOW })).toEqual({ type: 'held', item: THEIRS });
      expect(await itemOf(keys, key)).toEqual(THEIRS);
    });

    clause('shows our own item when a claim whose answer was lost is repeated', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: OURS, now: NOW });

      expect(await keys.claim({ key, item: OURS, now: NOW })).toEqual({ type: 'held', item: OURS });
    });

    clause('shows a completed item to whoever claims its key', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });
      await keys.complete(key, THEIRS);

      expect(await keys.claim({ key, item: OURS, now: NOW })).toEqual({
        type: 'held',
        item: { ...THEIRS, status: 'COMPLETED' },
      });
    });

    clause('grants one of many claims made at once', async () => {
      const keys = await open();
      const key = newKey();
      const items = [0, 1, 2, 3, 4, 5, 6, 7].map((epoch) => ({ ...OURS, claimedBy: { ...US, epoch } }));

      const answers = await Promise.all(items.map((item) => keys.claim({ key, item, now: NOW })));

      const granted = items.filter((_, index) => answers[index]?.type === 'granted');
      expect(granted).toHaveLength(1);
      expect(await itemOf(keys, key)).toEqual(granted[0]);
    });

    clause(
      'holds a key to the last millisecond before it expires, and takes it over then, deleted or not',
      async () => {
        const keys = await open();
        const key = newKey();
        const expired = { ...THEIRS, status: 'COMPLETED' as const, expiresAt: NOW / 1_000 };
        await keys.claim({ key, item: expired, now: NOW - 5_000 });

        expect(await keys.claim({ key, item: OURS, now: NOW - 1 })).toEqual({ type: 'held', item: expired });
        expect(await itemOf(keys, key)).toEqual(expired);
        expect(await keys.claim({ key, item: OURS, now: NOW })).toEqual({ type: 'granted' });
        expect(await itemOf(keys, key)).toEqual(OURS);
      },
    );

    clause('replaces exactly the item it was told to', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });

      expect(await keys.claim({ key, item: OURS, replaces: THEIRS, now: NOW })).toEqual({ type: 'granted' });
      expect(await itemOf(keys, key)).toEqual(OURS);
    });

    clause('replaces nothing that differs in any field from what it was told to', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });
      const others: KeyItem[] = [
        { ...THEIRS, status: 'COMPLETED' },
        { ...THEIRS, position: 'orders-4@8' },
        { ...THEIRS, claimedBy: { ...THEM, epoch: 8 } },
        { ...THEIRS, claimedBy: US },
        { ...THEIRS, valueHash: 'AAAAAAAAAAA' },
        { ...THEIRS, expiresAt: 1_795_856_401 },
      ];

      for (const replaces of others) {
        expect(await keys.claim({ key, item: OURS, replaces, now: NOW })).toEqual({ type: 'held', item: THEIRS });
      }
      expect(await itemOf(keys, key)).toEqual(THEIRS);
    });

    clause('grants a key that was given back before it could be replaced', async () => {
      const keys = await open();

      expect(await keys.claim({ key: newKey(), item: OURS, replaces: THEIRS, now: NOW })).toEqual({ type: 'granted' });
    });

    clause('shows our own item when a replacement whose answer was lost is repeated', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });
      const request = { key, item: OURS, replaces: THEIRS, now: NOW };
      await keys.claim(request);

      expect(await keys.claim(request)).toEqual({ type: 'held', item: OURS });
    });

    clause('completes a key that we hold, and again, with the item as given', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: OURS, now: NOW });
      const later = { ...OURS, expiresAt: 1_795_900_000 };

      expect(await keys.complete(key, later)).toBe(true);
      expect(await itemOf(keys, key)).toEqual({ ...later, status: 'COMPLETED' });
      expect(await keys.complete(key, later)).toBe(true);
      expect(await itemOf(keys, key)).toEqual({ ...later, status: 'COMPLETED' });
    });

    clause(
      'completes no key that another partition holds, or ours under another epoch, and changes nothing',
      async () => {
        const keys = await open();
        const key = newKey();
        const next = { ...OURS, claimedBy: { ...US, epoch: 8 } };
        await keys.claim({ key, item: THEIRS, now: NOW });
        expect(await keys.complete(key, OURS)).toBe(false);
        expect(await itemOf(keys, key)).toEqual(THEIRS);

        await keys.claim({ key, item: next, replaces: THEIRS, now: NOW });
        expect(await keys.complete(key, OURS)).toBe(false);
        expect(await itemOf(keys, key)).toEqual(next);
      },
    );

    clause('completes no key that is absent, and makes none', async () => {
      const keys = await open();
      const key = newKey();

      expect(await keys.complete(key, OURS)).toBe(false);
      expect(await itemOf(keys, key)).toBeUndefined();
    });

    clause('completes a key that we hold although it has expired, if nobody took it', async () => {
      const keys = await open();
      const key = newKey();
      const expired = { ...OURS, expiresAt: 1 };
      await keys.claim({ key, item: expired, now: 0 });

      expect(await keys.complete(key, OURS)).toBe(true);
    });

    clause('gives back a key that we hold, once and again', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: OURS, now: NOW });

      await keys.giveBack(key, US);
      await keys.giveBack(key, US);

      expect(await itemOf(keys, key)).toBeUndefined();
      expect(await keys.claim({ key, item: THEIRS, now: NOW })).toEqual({ type: 'granted' });
    });

    clause('gives back no key that somebody else holds, nor ours under another epoch', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: THEIRS, now: NOW });

      await keys.giveBack(key, US);
      await keys.giveBack(key, { ...THEM, epoch: 8 });

      expect(await itemOf(keys, key)).toEqual(THEIRS);
    });

    clause('gives back no key that is completed', async () => {
      const keys = await open();
      const key = newKey();
      await keys.claim({ key, item: OURS, now: NOW });
      await keys.complete(key, OURS);

      await keys.giveBack(key, US);

      expect(await itemOf(keys, key)).toEqual({ ...OURS, status: 'COMPLETED' });
    });

    clause('looks up 250 keys, some absent, some named twice', async () => {
      const keys = await open();
      const present = Array.from({ length: 240 }, (_, index) => ({
        key: newKey(),
        item: { ...OURS, position: `orders-3@${index}` },
      }));
      await Promise.all(present.map(({ key, item }) => keys.claim({ key, item, now: NOW })));
      const absent = Array.from({ length: 10 }, newKey);

      const found = await keys.lookUp([...absent, ...present.flatMap(({ key }) => [key, key])]);

      expect(found).toEqual(new Map(present.map(({ key, item }) => [key, item])));
    });
  });
}
