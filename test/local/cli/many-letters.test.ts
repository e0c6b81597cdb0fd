import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LettersUnderTest, manyLetters } from './letters-under-test.ts';

/** In test/long there are 100,000, and how much memory they take is looked at. */
const LETTERS = 2_000;
const HEAP_MIB = 64;

let many: LettersUnderTest;

beforeAll(async () => {
  many = await manyLetters(inject('localCloud'), LETTERS, HEAP_MIB);
});

afterAll(() => many?.stop());

test('2,000 letters of three causes are grouped, listed in pages or all at once, and redriven by cause', async () => {
  const { lockstep } = many;
  const groups = await lockstep('dead-letters', 'groups', '--json');
  const list = await lockstep('dead-letters', 'list');
  const all = await lockstep('dead-letters', 'list', '--limit', '2000', '--json');
  const redrive = await lockstep('redrive', '--fingerprint', 'print-0', '--yes', '--json');

  expect(JSON.parse(groups.stdout).groups.map(({ count }: { count: number }) => count)).toEqual([668, 666, 666]);
  expect(list.stdout).toMatch(/\n50 of 2,000; --limit shows more\.\n$/);
  const { letters, total } = JSON.parse(all.stdout);
  expect(total).toBe(2_000);
  expect(new Set(letters.map(({ id }: { id: string }) => id)).size).toBe(2_000);
  expect(JSON.parse(redrive.stdout)).toMatchObject({ selected: 668, done: 668, left: 0 });
  // A transaction is read some milliseconds after it is committed.
  await expect
    .poll(async () => JSON.parse((await lockstep('dead-letters', 'groups', '--json')).stdout))
    .toMatchObject({ letters: 1_332, groups: [{ count: 666 }, { count: 666 }] });
});

test('the operator function counts them, and lists as many as it is asked for', async () => {
  const { operator } = many;
  const groups = await operator({ type: 'groups', filter: {} });
  const some = await operator({ type: 'letters', filter: {}, limit: 10 });
  const all = await operator({ type: 'letters', filter: {}, limit: 2_000 });

  expect(groups.answer.letters).toBe(1_332);
  expect(some.answer.letters).toHaveLength(10);
  expect(some.answer.total).toBe(1_332);
  expect(all.answer.total).toBe(1_332);
  expect(new Set(all.answer.letters.map(({ id }) => id)).size).toBe(1_332);
});
