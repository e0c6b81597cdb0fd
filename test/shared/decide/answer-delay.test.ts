import { expect, test } from 'vitest';
import { answerDelay } from '../../../shared/decide/answer-delay.ts';

const policy = { haltedAnswerDelayMs: 1_000, blockedAnswerDelayMs: 20_000 };
const drained = { halted: false, moved: true, wakeAt: undefined };
const blocked = (wakeAt: number | undefined) => ({ halted: true, moved: false, wakeAt });

test('answers at once when nothing must come back', () => {
  expect(answerDelay([drained], 0, 50_000, policy)).toBe(0);
});

test('waits for the earliest blocked record when every partition is blocked', () => {
  expect(answerDelay([blocked(9_000), blocked(7_000)], 1_000, 50_000, policy)).toBe(6_000);
});

test('waits no longer than blockedAnswerDelayMs', () => {
  expect(answerDelay([blocked(900_000)], 0, 50_000, policy)).toBe(20_000);
});

test('waits no longer than haltedAnswerDelayMs while another partition goes on', () => {
  expect(answerDelay([blocked(900_000), drained], 0, 50_000, policy)).toBe(1_000);
});

test('waits no longer than haltedAnswerDelayMs while a partition that is blocked now has moved', () => {
  const moved = { ...blocked(900_000), moved: true };

  expect(answerDelay([moved], 0, 50_000, policy)).toBe(1_000);
  expect(answerDelay([moved, blocked(900_000)], 0, 50_000, policy)).toBe(1_000);
});

test('waits no longer than haltedAnswerDelayMs while a partition of duplicates may go on', () => {
  expect(answerDelay([blocked(900_000), { ...drained, moved: false }], 0, 50_000, policy)).toBe(1_000);
});

test('tries again soon if it is not known when it may go on', () => {
  expect(answerDelay([blocked(undefined)], 0, 50_000, policy)).toBe(1_000);
});

test('never waits past what the deadline allows', () => {
  expect(answerDelay([blocked(900_000)], 49_700, 50_000, policy)).toBe(300);
  expect(answerDelay([blocked(900_000)], 50_001, 50_000, policy)).toBe(0);
});
