import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keptTarget } from '../../console/kept-target.ts';
import { fakeTarget } from './fake-target.ts';

let opened = 0;
let closed = 0;
const open = async () => {
  opened++;
  const cloud = { consumers: [], asked: [], mapping: {}, operate: async () => ({}) };
  return {
    ...fakeTarget(cloud),
    [Symbol.asyncDispose]: async () => {
      closed++;
    },
  };
};

beforeEach(() => {
  opened = 0;
  closed = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('one target serves everybody for a minute; then its stacks are read again', async () => {
  const kept = keptTarget(open);
  await Promise.all([kept.use(async () => 1), kept.use(async () => 2)]);
  vi.advanceTimersByTime(59_999);
  await kept.use(async () => 3);
  expect([opened, closed]).toEqual([1, 0]);
  vi.advanceTimersByTime(1);
  await kept.use(async () => 4);
  expect([opened, closed]).toEqual([2, 1]);
});

test('a target is not closed while somebody works with it', async () => {
  const kept = keptTarget(open);
  const lease = await kept.lease();
  vi.advanceTimersByTime(60_000);
  await kept.use(async () => 1);
  expect([opened, closed]).toEqual([2, 0]);
  lease.free();
  lease.free();
  await vi.advanceTimersByTimeAsync(0);
  expect(closed).toBe(1);
});

test('what could not be opened is opened anew by the next one', async () => {
  let fails = true;
  const kept = keptTarget(async () => {
    if (fails) throw new Error('the token has expired');
    return open();
  });
  await expect(kept.use(async () => 1)).rejects.toThrow('the token has expired');
  fails = false;
  expect(await kept.use(async () => 2)).toBe(2);
});
