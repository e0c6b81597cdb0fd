import { expect, test } from 'vitest';
import { Progress } from '../../cli/progress.ts';
import { duration, errorOf, shortDuration, timeOf } from '../../cli/words.ts';

test.each([
  [0, '0 s'],
  [8_400, '8 s'],
  [312_000, '5 min 12 s'],
  [3_600_000, '1 h'],
  [273_600_000, '3 d 4 h'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  ['30s', 970_000],
  ['15min', 100_000],
  ['2026-01-01T00:00:00Z', 1_767_225_600_000],
  ['soon', undefined],
])('%s is a time', (text, time) => {
  expect(timeOf(text, 1_000_000)).toBe(time);
});

test.each([
  [93_000, '93 s'],
  [4_320_000, '72 min'],
  [169_200_000, '47 h'],
  [1_036_800_000, '12 d'],
])('%d ms are %s in a column', (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});

test('a progress bar says how much, how fast and how long still', () => {
  const progress = new Progress(0);

  expect(progress.text(250, 1_000, 5_000)).toBe('████████░░░░░░░░░░░░░░░░░░░░░░ 25 %  250 of 1,000, 50/s, 15 s left');
  expect(progress.text(1_000, 1_000, 20_000)).toBe('██████████████████████████████ 100 %  1,000 of 1,000, 50/s');
});

test.each([
  ['CreditDown', 'no answer', 'CreditDown: no answer'],
  ['ORDER_INVALID', 'ORDER_INVALID: no currency', 'ORDER_INVALID: no currency'],
  ['Error', '', 'Error'],
])('%s with %s is told once', (name, text, told) => {
  expect(errorOf(name, text)).toBe(told);
});
