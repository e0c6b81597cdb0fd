import { fakeIdempotencyKeyStore } from '../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../shared/testing/fake-ledger-store.ts';
import type { TransactAction } from '../../shared/transact-action.ts';
import type { LedgerUnderTest } from './ledger-under-test.ts';

/** The fakes, with effects that know one condition. */
export function fakeUnderTest(): LedgerUnderTest {
  const keys = fakeIdempotencyKeyStore();
  const ledger = fakeLedgerStore({
    keys,
    refuseEffect: (effect, committed) =>
      'ConditionExpression' in putOf(effect) && committed.some((other) => idOf(other) === idOf(effect))
        ? { code: 'ConditionalCheckFailed', text: 'The conditional request failed' }
        : undefined,
  });
  return {
    ledger,
    parkedKeys: ledger.parkedKeys,
    keys,
    keyItem: async (key) => keys.items.get(key),
    effect: (id, condition) => effectPut('effects', id, condition),
    hasEffect: async (id) => ledger.effects.some((effect) => idOf(effect) === id),
  };
}

/** An effect: puts an item under `id`. */
export function effectPut(table: string, id: string, condition?: 'ifAbsent') {
  const absent = condition === 'ifAbsent' && { ConditionExpression: 'attribute_not_exists(pk)' };
  return { Put: { TableName: table, Item: { pk: { S: id } }, ...absent } };
}

type EffectPut = ReturnType<typeof effectPut>['Put'];

function putOf(effect: TransactAction): EffectPut {
  return (effect as { Put: EffectPut }).Put;
}

function idOf(effect: TransactAction): string {
  return putOf(effect).Item.pk.S;
}
