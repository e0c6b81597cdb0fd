import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import { runCase } from './run.ts';
import { replayCommand, shrink } from './shrink.ts';
import { timeline } from './timeline.ts';

const RUNS = 300;

test(`keeps every promise in ${RUNS} simulated lives, whatever goes wrong`, async () => {
  const { failing, faults } = await runCampaign({ seed: 1 }, RUNS);
  const told = failing === undefined ? '' : await tell(failing);

  expect(told).toBe('');
  // A simulation in which nothing goes wrong proves nothing.
  const unseen = Object.keys(FAULT_KINDS).filter((kind) => ![...faults.keys()].some((seen) => seen === kind));
  expect(unseen).toEqual([]);
});

test('has the same history for the same seed', async () => {
  const [one, other] = [await runCase({ seed: 77 }, true), await runCase({ seed: 77 }, true)];

  expect(one.history.length).toBeGreaterThan(50);
  expect(timeline(one, 10_000)).toBe(timeline(other, 10_000));
});

test('a fault turned off for shrinking changes no other draw of its kind', async () => {
  const [all, less] = [
    await runCase({ seed: 12, set: 'base' }),
    await runCase({ seed: 12, set: 'base', off: ['slow'] }),
  ];

  expect(less.faults.has('slow')).toBe(false);
  expect(less.records.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(
    all.records.map(({ offset, timestamp }) => [offset, timestamp]),
  );
});

async function tell(failing: Parameters<typeof shrink>[0]): Promise<string> {
  const smallest = await shrink(failing);
  const traced = await runCase(smallest.of, true);
  return `${timeline(traced)}\n${replayCommand(failing.of)}\n${replayCommand(smallest.of)}`;
}
