import { expect, test } from 'vitest';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import { handler } from './handler.ts';
import { postEntry } from './post-entry.ts';

const entry = (entryId: string, accountId: string, amount: number) =>
  record({ topic: 'entries', key: accountId, value: { entryId, accountId, amount } });

const post = postEntry({ entries: '', balances: '' });

test('posts entry and balance in one transaction, once, though the process dies', async () => {
  const { effects, transactions } = await deliver(handler, [entry('e1', 'a', 500), entry('e2', 'a', -200)], {
    crash: { afterRun: 2 },
  });

  expect(effects).toEqual([
    ...post({ entryId: 'e1', accountId: 'a', amount: 500 }),
    ...post({ entryId: 'e2', accountId: 'a', amount: -200 }),
  ]);
  expect(transactions).toBe(2);
});

test('posts entries of different accounts side by side', async () => {
  const accounts = ['a', 'b', 'c', 'd', 'e', 'f'];

  const { effects, transactions } = await deliver(
    handler,
    accounts.map((accountId, index) => entry(`e${index}`, accountId, 1)),
  );

  expect(effects).toHaveLength(12);
  expect(transactions).toBeLessThan(6);
});

test('refuses an entry that was booked before, and gives the reason in its dead letter', async () => {
  const { effects, deadLetters, outcomes } = await deliver(handler, [entry('e1', 'a', 500), entry('e2', 'b', 1)], {
    refuseEffect: (effect) =>
      JSON.stringify(effect).includes('"e1"')
        ? { code: 'ConditionalCheckFailed', text: 'The conditional request failed' }
        : undefined,
  });

  expect(effects).toHaveLength(2);
  expect(outcomes).toEqual({ 'entries-0@0': 'deadLettered', 'entries-0@1': 'handled' });
  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-error-name')?.value.toString()).toBe(
    'TRANSACT_REFUSED',
  );
});

test('an amount that is no number of cents is dead-lettered at once', async () => {
  const { deadLetters } = await deliver(handler, [entry('e1', 'a', 0.5)]);

  expect(deadLetters[0]?.headers.find(({ name }) => name === 'x-stage')?.value.toString()).toBe('validate');
});

test('each entry is posted once, whatever becomes of the process that posts it', async () => {
  await explore({
    world: () => ({}),
    handler: () => handler,
    records: [entry('e1', 'a', 500), entry('e2', 'a', -200), entry('e3', 'b', 1)],
    observe: (_, { effects }) => effects.map(({ Put }) => Put?.Item?.['entryId']?.S ?? 'balance').sort(),
  });
});
