import { describe, expect } from 'vitest';
import type { KeyHolder, KeyItem } from '../../shared/decide/idempotency.ts';
import type {
  KeyClaimAnswer,
  KeyClaimRequest,
  KeyCompletionAnswer,
  KeyReturnAnswer,
} from '../../shared/ports/idempotency-key-store.ts';
import type { KeyCompletion } from '../../shared/ports/ledger-store.ts';
import { type ContractResults, clausesOf } from './contract-results.ts';
import { type KeysUnderTest, type LedgerUnderTest, newId } from './ledger-under-test.ts';

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

/** How a request is sent: in a call of its own, or as one of several. */
type Company = 'alone' | 'among others';

/** The port, a key at a time. */
interface KeyAtATime {
  claim(request: KeyClaimRequest): Promise<KeyClaimAnswer | undefined>;
  complete(key: string, item: KeyItem): Promise<KeyCompletionAnswer | undefined>;
  giveBack(key: string, holder: KeyHolder, position?: string): Promise<KeyReturnAnswer | undefined>;
  itemOf: LedgerUnderTest['keyItem'];
}

function keyAtATime({ keys, keyItem }: KeysUnderTest, company: Company): KeyAtATime {
  const other = (): KeyCompletion => ({ key: newKey(), item: { ...OURS, position: 'orders-3@1' } });
  if (company === 'alone') {
    return {
      claim: async (request) => (await keys.claim([request]))[0],
      complete: async (key, item) => (await keys.complete([{ key, item }]))[0],
      giveBack: async (key, holder, position = OURS.position) => (await keys.giveBack([{ key, holder, position }]))[0],
      itemOf: keyItem,
    };
  }
  return {
    async claim(request) {
      const [before, answer, after] = await keys.claim([other(), request, other()]);
      expect([before, after]).toEqual([{ type: 'granted' }, { type: 'granted' }]);
      return answer;
    },
    async complete(key, item) {
      const [one, two] = [other(), other()];
      await keys.claim([one, two]);
      const [before, answer, after] = await keys.complete([one, { key, item }, two]);
      expect([before, after]).toEqual([{ type: 'completed' }, { type: 'completed' }]);
      return answer;
    },
    async giveBack(key, holder, position = OURS.position) {
      const [one, two] = [other(), other()];
      await keys.claim([one, two]);
      const mine = { key: one.key, holder: US, position: one.item.position };
      const [before, answer, after] = await keys.giveBack([mine, { key, holder, position }, { ...mine, key: two.key }]);
      expect([before, after]).toEqual([{ type: 'settled' }, { type: 'settled' }]);
      expect(await Promise.all([one.key, two.key].map(keyItem))).toEqual([undefined, undefined]);
      return answer;
    },
    itemOf: keyItem,
  };
}

/** What every store of idempotency keys keeps to. `open` is called once a clause. */
export function idempotencyKeyStoreContract(
  adapter: string,
  open: () => Promise<KeysUnderTest>,
  results?: ContractResults,
): void {
  describe(`${adapter} as an idempotency key store`, () => {
    const of = clausesOf('keys', adapter, results);
    const clause = (sentence: string, show: (keys: KeyAtATime) => Promise<void>) => {
      for (const company of ['alone', 'among others'] as const)
        of(`${sentence} (${company})`, async () => show(keyAtATime(await open(), company)));
    };

    clause('grants a key that was never claimed, and returns its item', async (keys) => {
      const key = newKey();

      expect(await keys.claim({ key, item: OURS })).toEqual({ type: 'granted' });
      expect(await keys.itemOf(key)).toEqual(OURS);
    });

    clause('shows the item of a key that is held, and changes nothing', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });

      expect(await keys.claim({ key, item: OURS })).toEqual({ type: 'held', item: THEIRS });
      expect(await keys.itemOf(key)).toEqual(THEIRS);
    });

    clause('shows our own item when a claim whose answer was lost is repeated', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: OURS });

      expect(await keys.claim({ key, item: OURS })).toEqual({ type: 'held', item: OURS });
    });

    clause('shows a completed item to every claim of its key', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });
      await keys.complete(key, THEIRS);

      expect(await keys.claim({ key, item: OURS })).toEqual({
        type: 'held',
        item: { ...THEIRS, status: 'COMPLETED' },
      });
    });

    clause('grants one of many claims made at once', async (keys) => {
      const key = newKey();
      const items = [0, 1, 2, 3, 4, 5, 6, 7].map((epoch) => ({ ...OURS, claimedBy: { ...US, epoch } }));

      const answers = await Promise.all(items.map((item) => keys.claim({ key, item })));

      const granted = items.filter((_, index) => answers[index]?.type === 'granted');
      expect(granted).toHaveLength(1);
      expect(await keys.itemOf(key)).toEqual(granted[0]);
    });

    clause('shows an expired item like any other: whether it counts is for who asks to say', async (keys) => {
      const key = newKey();
      const expired = { ...THEIRS, status: 'COMPLETED' as const, expiresAt: 1 };
      await keys.claim({ key, item: expired });

      expect(await keys.claim({ key, item: OURS })).toEqual({ type: 'held', item: expired });
      expect(await keys.claim({ key, item: OURS, replaces: expired })).toEqual({ type: 'granted' });
      expect(await keys.itemOf(key)).toEqual(OURS);
    });

    clause('replaces exactly the given item', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });

      expect(await keys.claim({ key, item: OURS, replaces: THEIRS })).toEqual({ type: 'granted' });
      expect(await keys.itemOf(key)).toEqual(OURS);
    });

    clause('replaces no item that differs in any field from the given one', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });
      const others: KeyItem[] = [
        { ...THEIRS, status: 'COMPLETED' },
        { ...THEIRS, position: 'orders-4@8' },
        { ...THEIRS, claimedBy: { ...THEM, epoch: 8 } },
        { ...THEIRS, claimedBy: US },
        { ...THEIRS, valueHash: 'AAAAAAAAAAA' },
        { ...THEIRS, expiresAt: 1_795_856_401 },
      ];

      for (const replaces of others) {
        expect(await keys.claim({ key, item: OURS, replaces })).toEqual({ type: 'held', item: THEIRS });
      }
      expect(await keys.itemOf(key)).toEqual(THEIRS);
    });

    clause('says that the item to be replaced is gone, and makes none', async (keys) => {
      const key = newKey();

      expect(await keys.claim({ key, item: OURS, replaces: THEIRS })).toEqual({ type: 'gone' });
      expect(await keys.itemOf(key)).toBeUndefined();
    });

    clause('shows our own item when a replacement whose answer was lost is repeated', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });
      const request = { key, item: OURS, replaces: THEIRS };
      await keys.claim(request);

      expect(await keys.claim(request)).toEqual({ type: 'held', item: OURS });
    });

    clause('completes a key that we hold, and again, with the item as given', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: OURS });
      const later = { ...OURS, expiresAt: 1_795_900_000 };

      expect(await keys.complete(key, later)).toEqual({ type: 'completed' });
      expect(await keys.itemOf(key)).toEqual({ ...later, status: 'COMPLETED' });
      expect(await keys.complete(key, later)).toEqual({ type: 'completed' });
      expect(await keys.itemOf(key)).toEqual({ ...later, status: 'COMPLETED' });
    });

    clause(
      'completes no key that another partition holds, or ours under another epoch, and changes nothing',
      async (keys) => {
        const key = newKey();
        const next = { ...OURS, claimedBy: { ...US, epoch: 8 } };
        await keys.claim({ key, item: THEIRS });
        expect(await keys.complete(key, OURS)).toEqual({ type: 'takenOver' });
        expect(await keys.itemOf(key)).toEqual(THEIRS);

        await keys.claim({ key, item: next, replaces: THEIRS });
        expect(await keys.complete(key, OURS)).toEqual({ type: 'takenOver' });
        expect(await keys.itemOf(key)).toEqual(next);
      },
    );

    clause('completes no key that is absent, and makes none', async (keys) => {
      const key = newKey();

      expect(await keys.complete(key, OURS)).toEqual({ type: 'takenOver' });
      expect(await keys.itemOf(key)).toBeUndefined();
    });

    clause('completes a key that we hold although it has expired, if it was not taken', async (keys) => {
      const key = newKey();
      const expired = { ...OURS, expiresAt: 1 };
      await keys.claim({ key, item: expired });

      expect(await keys.complete(key, OURS)).toEqual({ type: 'completed' });
    });

    clause('gives back a key that we hold, once and again', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: OURS });

      expect(await keys.giveBack(key, US)).toEqual({ type: 'settled' });
      expect(await keys.giveBack(key, US)).toEqual({ type: 'settled' });

      expect(await keys.itemOf(key)).toBeUndefined();
      expect(await keys.claim({ key, item: THEIRS })).toEqual({ type: 'granted' });
    });

    clause('gives back no key of another holder, nor ours under another epoch', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: THEIRS });

      await keys.giveBack(key, US, THEIRS.position);
      await keys.giveBack(key, { ...THEM, epoch: 8 }, THEIRS.position);

      expect(await keys.itemOf(key)).toEqual(THEIRS);
    });

    clause('gives back no key that another record of ours has taken since', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: OURS });

      expect(await keys.giveBack(key, US, 'orders-3@1041')).toEqual({ type: 'settled' });

      expect(await keys.itemOf(key)).toEqual(OURS);
    });

    clause('gives back no key that is completed', async (keys) => {
      const key = newKey();
      await keys.claim({ key, item: OURS });
      await keys.complete(key, OURS);

      await keys.giveBack(key, US);

      expect(await keys.itemOf(key)).toEqual({ ...OURS, status: 'COMPLETED' });
    });

    of('asks for nothing where nothing is wanted', async () => {
      const { keys } = await open();

      expect(await keys.claim([])).toEqual([]);
      expect(await keys.complete([])).toEqual([]);
      expect(await keys.giveBack([])).toEqual([]);
    });

    of('answers 250 requests of each kind in their order, whatever becomes of each', async () => {
      const { keys, keyItem } = await open();
      const wanted = Array.from({ length: 250 }, (_, index) => ({
        key: newKey(),
        item: { ...OURS, position: `orders-3@${index}` },
      }));
      const isTheirs = (index: number) => index % 7 === 3;
      await keys.claim(wanted.filter((_, index) => isTheirs(index)).map(({ key }) => ({ key, item: THEIRS })));

      expect(await keys.claim(wanted)).toEqual(
        wanted.map((_, index) => (isTheirs(index) ? { type: 'held', item: THEIRS } : { type: 'granted' })),
      );
      expect(await keys.complete(wanted)).toEqual(
        wanted.map((_, index) => ({ type: isTheirs(index) ? 'takenOver' : 'completed' })),
      );
      expect(await Promise.all(wanted.map(({ key }) => keyItem(key)))).toEqual(
        wanted.map(({ item }, index) => (isTheirs(index) ? THEIRS : { ...item, status: 'COMPLETED' })),
      );
      await keys.giveBack(wanted.map(({ key }) => ({ key, holder: THEM, position: THEIRS.position })));
      expect(await Promise.all(wanted.map(({ key }) => keyItem(key)))).toEqual(
        wanted.map(({ item }, index) => (isTheirs(index) ? undefined : { ...item, status: 'COMPLETED' })),
      );
    });

    of('takes new keys and replaces items in one call', async () => {
      const { keys, keyItem } = await open();
      const [fresh, dead, alive, gone] = [newKey(), newKey(), newKey(), newKey()];
      await keys.claim([dead, alive].map((key) => ({ key, item: THEIRS })));

      const answers = await keys.claim([
        { key: dead, item: OURS, replaces: THEIRS },
        { key: fresh, item: OURS },
        { key: alive, item: OURS },
        { key: gone, item: OURS, replaces: THEIRS },
      ]);

      const granted = { type: 'granted' };
      expect(answers).toEqual([granted, granted, { type: 'held', item: THEIRS }, { type: 'gone' }]);
      expect(await Promise.all([dead, fresh, alive, gone].map(keyItem))).toEqual([OURS, OURS, THEIRS, undefined]);
    });
  });
}
