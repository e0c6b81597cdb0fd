import { expect, test } from 'vitest';
import { giveUpOnTopicAt, latestStart, observeHandlerMs, planDeadline } from '../../../shared/decide/deadline.ts';

test('leaves two seconds at most for ending in order', () => {
  expect(planDeadline(1_000, 60_000)).toEqual({
    startedAt: 1_000,
    deadline: 61_000,
    abortAt: 59_000,
    stallAt: 59_800,
    answerBy: 60_600,
  });
});

test('leaves a quarter of a short invocation', () => {
  expect(planDeadline(0, 3_200)).toEqual({
    startedAt: 0,
    deadline: 3_200,
    abortAt: 2_400,
    stallAt: 2_800,
    answerBy: 3_000,
  });
});

test('starts no record that would not end in time, by half as much again as the longest seen', () => {
  expect(latestStart(planDeadline(0, 60_000), 0)).toBe(58_000);
  expect(latestStart(planDeadline(0, 60_000), 10_000)).toBe(43_000);
});

test('never reserves more than half of the invocation', () => {
  expect(latestStart(planDeadline(0, 60_000), 50_000)).toBe(30_000);
  expect(latestStart(planDeadline(1_000, 60_000), 50_000)).toBe(31_000);
});

test('a longer run counts at once, a shorter one lets it fade', () => {
  expect(observeHandlerMs(100, 400)).toBe(400);
  expect(observeHandlerMs(100, 1)).toBe(98);
});

test('leaves half of the time to the fallback queue, and none that is not there', () => {
  const plan = planDeadline(0, 60_000);

  expect(giveUpOnTopicAt(plan, 18_800)).toBe(38_800);
  expect(giveUpOnTopicAt(plan, 59_000)).toBe(59_000);
});
