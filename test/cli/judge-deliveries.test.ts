import { expect, test } from 'vitest';
import { eventAfter, judgeDeliveries } from '../../cli/judge-deliveries.ts';
import type { Delivery } from '../../functions/verify/experiment.ts';

const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** Deliveries a second apart that take 100 ms each. */
function deliveries(...events: readonly (readonly [indexes: readonly number[], reported?: number])[]): Delivery[] {
  return events.map(([indexes, reported], at) => ({
    startedAt: at * 1_000,
    endedAt: at * 1_000 + 100,
    indexes: [...indexes],
    ...(reported !== undefined && { reported }),
  }));
}

test.each([
  ['lowest', [from(3, 9), from(10, 19)], 'then came 3–9'],
  ['reported', [[3], from(10, 19)], 'then came 3'],
  ['reported', [[3, ...from(10, 18)], [19]], 'then came 3, 10–18'],
  ['batch', [from(0, 9), from(10, 19)], 'then came 0–9'],
  ['overtaken', [from(10, 19), [3]], 'then came 10–19, then 3'],
] as const)('tells the reading %s by what comes after 0–9, of which 3 was reported: %j', (reading, after, said) => {
  const judged = judgeDeliveries(deliveries([from(0, 9), 3], ...after.map((indexes) => [indexes] as const)));

  expect(judged).toMatchObject({ reading, evidence: `0–9 came, 3 was reported; ${said}` });
});

test.each([
  ['the first of its event', from(3, 9)],
  ['the last of its event', from(0, 3)],
])('does not tell where the record was %s', (_, indexes) => {
  const { reading, evidence } = judgeDeliveries(deliveries([indexes, 3], [indexes], [from(10, 19)]));

  expect(reading).toBeUndefined();
  expect(evidence).toContain('at an end of its event');
});

test('does not tell where nothing was reported, or where it did not come again', () => {
  expect(judgeDeliveries(deliveries([from(0, 9)]))).toEqual({ evidence: 'no record was reported', pausesMs: [] });
  expect(judgeDeliveries(deliveries([from(0, 9), 3], [from(10, 19)]))).toEqual({
    evidence: '0–9 came, 3 was reported, and did not come again',
    pausesMs: [],
  });
});

test('measures each pause from the end of an answer to the event that brings the record again', () => {
  const judged = judgeDeliveries(deliveries([from(0, 9), 3], [from(3, 9), 3], [from(10, 19)], [from(3, 9)]));

  expect(judged.pausesMs).toEqual([900, 1_900]);
});

test('says what came after an event, or after the run was told something, and how soon', () => {
  const came = deliveries([from(0, 2)], [[]], [from(1, 2)]);

  expect(eventAfter(came.slice(1), ({ indexes }) => indexes.length === 0)).toBe('1–2 came after 900 ms');
  expect(eventAfter(deliveries([from(0, 2)], [[1]]), () => true)).toBe('0–2 had come; 1 came after 900 ms');
  expect(eventAfter(came, ({ hung }) => hung === true)).toBe('no event came');
});
