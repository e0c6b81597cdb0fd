import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sharedAnswers, startLooks } from '../../console/looks.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('looks at most once in five seconds, however many watch and come and go', async () => {
  let count = 0;
  const looks = startLooks(async () => {
    count++;
  });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(count).toBe(0);

  const leaves = Array.from({ length: 50 }, () => looks.watch());
  await vi.advanceTimersByTimeAsync(0);
  expect(count).toBe(1);
  await vi.advanceTimersByTimeAsync(4_999);
  expect(count).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(count).toBe(2);

  for (const leave of leaves) leave();
  looks.watch();
  await vi.advanceTimersByTimeAsync(4_999);
  expect(count).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(count).toBe(3);
});

test('nobody watches: nothing is looked at', async () => {
  let count = 0;
  const leave = startLooks(async () => {
    count++;
  }).watch();
  await vi.advanceTimersByTimeAsync(0);
  leave();
  leave();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(count).toBe(1);
});

test('a look that takes long is not joined by a second one', async () => {
  const ends: (() => void)[] = [];
  startLooks(() => new Promise((resolve) => ends.push(resolve))).watch();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toHaveLength(2);
});

test('equal questions within five seconds are asked once, others by themselves', async () => {
  let count = 0;
  const shared = sharedAnswers();
  const ask = (question: string) => shared.of(question, async () => ++count);
  expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual([1, 1, 2]);
  vi.advanceTimersByTime(4_999);
  expect(await ask('a')).toBe(1);
  vi.advanceTimersByTime(1);
  expect(await ask('a')).toBe(3);
  shared.forget();
  expect(await ask('a')).toBe(4);
});
