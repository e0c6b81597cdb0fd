import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LettersUnderTest, manyLetters } from '../local/cli/letters-under-test.ts';

const LETTERS = 100_000;
/** What the commands get of heap: the letters come to more. */
const HEAP_MIB = 64;
/** What a plain consumer gets, which would run out of the other. */
const PLAIN_HEAP_MIB = 1_024;
/** Resident bytes: Node and the modules of the command, the heap, and buffers that wait for the collector. */
const MOST_RESIDENT_BYTES = 320 * 1_048_576;

let many: LettersUnderTest;

beforeAll(async () => {
  many = await manyLetters(inject('servers'), LETTERS, HEAP_MIB);
}, 400_000);

afterAll(() => many?.stop());

test('100,000 letters are grouped, listed and redriven in less memory than they come to', async () => {
  const { lockstep } = many;
  expect(many.bytes).toBeGreaterThan(HEAP_MIB * 1_048_576);
  console.log((await many.readPlainly(PLAIN_HEAP_MIB)).stdout);

  await lockstep('dead-letters', 'groups', '--help');
  const groups = await lockstep('dead-letters', 'groups', '--json');
  const list = await lockstep('dead-letters', 'list');
  const all = await lockstep('dead-letters', 'list', '--limit', String(LETTERS), '--json');
  const redrive = await lockstep('redrive', '--fingerprint', 'print-0', '--yes', '--json');
  const after = await lockstep('dead-letters', 'groups', '--json');

  expect(JSON.parse(groups.stdout).groups.map(({ count }: { count: number }) => count)).toEqual([
    33_334, 33_333, 33_333,
  ]);
  expect(list.stdout).toMatch(/\n50 of 100,000; --limit shows more\.\n$/);
  const { letters, total } = JSON.parse(all.stdout);
  expect(total).toBe(LETTERS);
  expect(new Set(letters.map(({ id }: { id: string }) => id)).size).toBe(LETTERS);
  expect(JSON.parse(redrive.stdout)).toMatchObject({ selected: 33_334, done: 33_334, left: 0 });
  expect(JSON.parse(after.stdout)).toMatchObject({ letters: 66_666, groups: [{ count: 33_333 }, { count: 33_333 }] });
  for (const { peakBytes } of [groups, list, all, redrive, after]) expect(peakBytes).toBeLessThan(MOST_RESIDENT_BYTES);
}, 400_000);

test('the operator function needs no more, and gives a long list page by page', async () => {
  const { operator } = many;
  const groups = await operator({ type: 'groups', filter: {} });
  const first = await operator({ type: 'letters', filter: {}, limit: LETTERS });
  const second = await operator({ type: 'letters', filter: {}, limit: LETTERS, after: first.answer.next });

  expect(groups.answer.letters).toBe(66_666);
  expect(first.answer.total).toBe(66_666);
  const ids = [first, second].flatMap(({ answer }) => answer.letters.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  for (const { answer } of [first, second]) {
    expect(answer.letters.length).toBeGreaterThan(1_000);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(6_000_000);
  }
  for (const { peakBytes } of [groups, first, second]) expect(peakBytes).toBeLessThan(MOST_RESIDENT_BYTES);
}, 200_000);
