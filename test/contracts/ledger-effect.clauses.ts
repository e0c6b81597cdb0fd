import { expect } from 'vitest';
import type { KeyItem } from '../../shared/decide/idempotency.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import { ledgerKey } from '../../shared/record/item-identifier.ts';
import type { Clause } from './contract-results.ts';
import { claimBy, LEASED, type LedgerUnderTest, newId, newPartition, writeBy } from './ledger-under-test.ts';

/** Effects and the key's completion are committed with the write, or not at all. */
export function ledgerEffectClauses(clause: Clause, open: () => Promise<LedgerUnderTest>): void {
  clause('commits effects together with the write', async () => {
    const { ledger, effect, hasEffect } = await open();
    const partition = newPartition();
    const [debit, credit] = [newId('debit'), newId('credit')];
    await ledger.claim(claimBy(partition, 'a'));

    const answer = await ledger.write(
      writeBy(partition, 'a', { effects: [effect(debit), effect(credit, 'ifAbsent')] }),
    );

    expect(answer).toEqual({ type: 'written' });
    expect([await hasEffect(debit), await hasEffect(credit)]).toEqual([true, true]);
    expect(await ledger.read(partition)).toMatchObject({ rev: 2, progress: { settled: [{ from: 10, to: 14 }] } });
  });

  clause('commits no effect of a refused write', async () => {
    const { ledger, effect, hasEffect } = await open();
    const partition = newPartition();
    const debit = newId('debit');
    await ledger.claim(claimBy(partition, 'a'));
    const { item } = await ledger.claim(claimBy(partition, 'b', { now: LEASED + 1 }));

    const answer = await ledger.write(writeBy(partition, 'a', { effects: [effect(debit)] }));

    expect(answer).toEqual({ type: 'refused', item });
    expect(await hasEffect(debit)).toBe(false);
    expect(await ledger.read(partition)).toEqual(item);
  });

  clause('names the effects whose condition did not hold by index, and commits neither write nor effect', async () => {
    const { ledger, effect, hasEffect } = await open();
    const partition = newPartition();
    const [first, taken, third] = [newId('first'), newId('taken'), newId('third')];
    const { item } = await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { effects: [effect(taken)] }));

    const effects = [effect(first), effect(taken, 'ifAbsent'), effect(third, 'ifAbsent')];
    const answer = await ledger.write(writeBy(partition, 'a', { rev: 2, release: true, effects }));

    expect(answer).toEqual({
      type: 'cancelled',
      reasons: [{ index: 1, code: 'ConditionalCheckFailed', text: expect.stringMatching(/\S/) }],
    });
    expect([await hasEffect(first), await hasEffect(third)]).toEqual([false, false]);
    expect(await ledger.read(partition)).toMatchObject({ epoch: item.epoch, rev: 2, owner: 'a' });
  });

  clause('names every effect whose condition did not hold', async () => {
    const { ledger, effect } = await open();
    const partition = newPartition();
    const [one, two] = [newId('one'), newId('two')];
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { effects: [effect(one), effect(two)] }));

    const effects = [effect(one, 'ifAbsent'), effect(newId('three')), effect(two, 'ifAbsent')];
    const answer = await ledger.write(writeBy(partition, 'a', { rev: 2, effects }));

    expect(answer.type === 'cancelled' && answer.reasons.map(({ index }) => index)).toEqual([0, 2]);
  });

  clause('lets other content be written over the same revision after a cancelled transaction', async () => {
    const { ledger, effect, hasEffect } = await open();
    const partition = newPartition();
    const [taken, free] = [newId('taken'), newId('free')];
    await ledger.claim(claimBy(partition, 'a'));
    await ledger.write(writeBy(partition, 'a', { effects: [effect(taken)] }));
    await ledger.write(writeBy(partition, 'a', { rev: 2, effects: [effect(taken, 'ifAbsent')] }));

    const answer = await ledger.write(writeBy(partition, 'a', { rev: 2, effects: [effect(free, 'ifAbsent')] }));

    expect(answer).toEqual({ type: 'written' });
    expect(await hasEffect(free)).toBe(true);
  });

  clause('is refused, not cancelled, where ledger and effect both object', async () => {
    const { ledger, effect } = await open();
    const partition = newPartition();
    const taken = newId('taken');
    await ledger.claim(claimBy(partition, 'a'));
    const request = writeBy(partition, 'a', { effects: [effect(taken, 'ifAbsent')] });
    await ledger.write(request);

    // The repetition of a transaction whose answer was lost: its own effect stands in its way.
    expect(await ledger.write(request)).toMatchObject({ type: 'refused', item: { epoch: 1, rev: 2 } });
  });

  clause('takes 98 effects and a completion in one transaction', async () => {
    const { ledger, keys, effect, hasEffect } = await open();
    const partition = newPartition();
    const ids = Array.from({ length: 98 }, () => newId('effect'));
    const { key, item } = keyOf(ledgerKey(partition));
    await ledger.claim(claimBy(partition, 'a'));
    await keys.claim([{ key, item }]);

    const completion = { key, item };
    const answer = await ledger.write(
      writeBy(partition, 'a', { effects: ids.map((id) => effect(id)), completions: [completion] }),
    );

    expect(answer).toEqual({ type: 'written' });
    expect(await Promise.all(ids.map(hasEffect))).toEqual(Array(98).fill(true));
  });

  clause('completes the key of the record together with its effects', async () => {
    const { ledger, keys, keyItem, effect } = await open();
    const partition = newPartition();
    const { key, item } = keyOf(ledgerKey(partition));
    await ledger.claim(claimBy(partition, 'a'));
    await keys.claim([{ key, item }]);

    const completion = { key, item: { ...item, status: 'COMPLETED' as const } };
    const request = writeBy(partition, 'a', { effects: [effect(newId('debit'))], completions: [completion] });

    expect(await ledger.write(request)).toEqual({ type: 'written' });
    expect(await keyItem(key)).toEqual({ ...item, status: 'COMPLETED' });
    expect(await ledger.write(request)).toMatchObject({ type: 'refused', item: { rev: 2 } });
  });

  clause('completes the keys of several records in one transaction, or none of them', async () => {
    const { ledger, keys, keyItem, effect, hasEffect } = await open();
    const partition = newPartition();
    const holder = ledgerKey(partition);
    const [one, two, foreign] = [keyOf(holder), keyOf(holder), keyOf('partition#c#other#orders#0')];
    const debit = newId('debit');
    await ledger.claim(claimBy(partition, 'a'));
    for (const { key, item } of [one, two, foreign]) await keys.claim([{ key, item }]);

    const stolen = { ...foreign.item, claimedBy: one.item.claimedBy };
    const completions = [one, two, { key: foreign.key, item: stolen }];
    const failed = ledger.write(writeBy(partition, 'a', { effects: [effect(debit)], completions }));
    await expect(failed).rejects.toMatchObject({ transient: false });
    expect((await keyItem(one.key))?.status).toBe('IN_PROGRESS');

    expect(await ledger.write(writeBy(partition, 'a', { effects: [effect(debit)], completions: [one, two] }))).toEqual({
      type: 'written',
    });
    const known = await Promise.all([one, two, foreign].map(({ key }) => keyItem(key)));
    expect(known.map((item) => item?.status)).toEqual(['COMPLETED', 'COMPLETED', 'IN_PROGRESS']);
    expect(await hasEffect(debit)).toBe(true);
  });

  clause('completes a key without effects in the same transaction too', async () => {
    const { ledger, keys, keyItem } = await open();
    const partition = newPartition();
    const { key, item } = keyOf(ledgerKey(partition));
    await ledger.claim(claimBy(partition, 'a'));
    await keys.claim([{ key, item }]);

    expect(await ledger.write(writeBy(partition, 'b', { completions: [{ key, item }] }))).toMatchObject({
      type: 'refused',
    });
    expect((await keyItem(key))?.status).toBe('IN_PROGRESS');
    expect(await ledger.write(writeBy(partition, 'a', { completions: [{ key, item }] }))).toEqual({ type: 'written' });
    expect((await keyItem(key))?.status).toBe('COMPLETED');
  });

  clause('leaves the key as it is when an effect cancels the transaction, and names that effect', async () => {
    const { ledger, keys, keyItem, effect } = await open();
    const partition = newPartition();
    const { key, item } = keyOf(ledgerKey(partition));
    const taken = newId('taken');
    await ledger.claim(claimBy(partition, 'a'));
    await keys.claim([{ key, item }]);
    await ledger.write(writeBy(partition, 'a', { effects: [effect(taken)] }));

    const effects = [effect(taken, 'ifAbsent')];
    const answer = await ledger.write(writeBy(partition, 'a', { rev: 2, effects, completions: [{ key, item }] }));

    expect(answer).toMatchObject({ type: 'cancelled', reasons: [{ index: 0 }] });
    expect((await keyItem(key))?.status).toBe('IN_PROGRESS');
  });

  clause('fails for good and commits nothing if another holder has the key by now', async () => {
    const { ledger, keys, keyItem, effect, hasEffect } = await open();
    const partition = newPartition();
    const { key, item } = keyOf('partition#c#other#orders#0');
    const debit = newId('debit');
    const claimed = await ledger.claim(claimBy(partition, 'a'));
    await keys.claim([{ key, item }]);

    const mine = { ...item, claimedBy: { ledgerKey: ledgerKey(partition), epoch: 1 } };
    const failed = ledger.write(
      writeBy(partition, 'a', { effects: [effect(debit)], completions: [{ key, item: mine }] }),
    );

    await expect(failed).rejects.toThrow(StoreError);
    await expect(failed).rejects.toMatchObject({ transient: false, message: expect.stringContaining('orders-3@15') });
    expect(await hasEffect(debit)).toBe(false);
    expect(await ledger.read(partition)).toEqual(claimed.item);
    expect(await keyItem(key)).toEqual(item);
  });
}

function keyOf(holder: string): { key: string; item: KeyItem } {
  const claimedBy = { ledgerKey: holder, epoch: 1 };
  const item = { position: 'orders-3@15', claimedBy, valueHash: '47DEQpj8HBS', expiresAt: 1_795_856_400 };
  return { key: newId('key#billing#'), item: { status: 'IN_PROGRESS', ...item } };
}
