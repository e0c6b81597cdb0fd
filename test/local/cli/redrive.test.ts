import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Operated, startOperated } from '../relay/operated-consumer.ts';

const PARTITIONS = 3;
const KEYS = 30;
/** Half of each cause. */
const RECORDS = 1_000;

let operated: Operated;

beforeAll(async () => {
  operated = await startOperated('Redriven');
});
afterAll(async () => {
  await operated?.stop();
});

function idOf(index: number): string {
  return `${index % 2 === 0 ? 'a' : 'b'}-${String(index).padStart(4, '0')}`;
}

/** Of both causes each key has some. */
function keyOf(index: number): number {
  return Math.floor(index / 2) % KEYS;
}

test('1,000 letters of two causes: the mended one returns, each record once and in order, though the redrive is killed twice', async () => {
  operated.counterpart.answer(() => 422);
  await operated.produce(
    Array.from({ length: RECORDS }, (_, index) => ({
      value: idOf(index),
      key: `k-${keyOf(index)}`,
      partition: keyOf(index) % PARTITIONS,
    })),
  );
  await expect.poll(() => operated.lag(), { timeout: 400_000, interval: 500 }).toBe(0);
  expect(await operated.letters()).toHaveLength(RECORDS);

  const { groups } = await operated.ask('dead-letters', 'groups');
  expect(groups.map(({ errorName, count }: { errorName: string; count: number }) => [errorName, count]).sort()).toEqual(
    [
      ['CAUSE_a', 500],
      ['CAUSE_b', 500],
    ],
  );
  const { fingerprint } = groups.find(({ errorName }: { errorName: string }) => errorName === 'CAUSE_a');

  const before = await operated.ends();
  const callsBefore = operated.counterpart.calls.length;
  operated.counterpart.answer(({ id }) => (id.startsWith('a') ? 204 : 422));
  for (const enough of [40, 160]) {
    const redrive = operated.start('redrive', '--fingerprint', fingerprint, '--rate', '20');
    await expect
      .poll(async () => (await operated.ends()) - before, { timeout: 120_000, interval: 100 })
      .toBeGreaterThan(enough);
    redrive.kill('SIGKILL');
    await once(redrive, 'exit');
  }
  const midway = await operated.ask('dead-letters', 'groups');
  const left = midway.groups.find(({ errorName }: { errorName: string }) => errorName === 'CAUSE_a').count;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(500);

  expect(await operated.ask('redrive', '--fingerprint', fingerprint)).toMatchObject({ done: left, left: 0 });

  const handled = () => operated.counterpart.calls.slice(callsBefore);
  await expect.poll(() => handled().length, { timeout: 200_000, interval: 500 }).toBe(500);
  const ids = handled().map(({ id }) => id);
  expect(new Set(ids).size).toBe(500);
  expect(ids.every((id) => id.startsWith('a'))).toBe(true);
  const byKey = Map.groupBy(ids, (id) => keyOf(Number(id.slice(2))));
  for (const [, some] of byKey) expect(some).toEqual([...some].sort());

  expect(await operated.ask('dead-letters', 'groups')).toMatchObject({
    letters: 500,
    groups: [{ errorName: 'CAUSE_b', count: 500 }],
  });
  expect(await operated.ask('redrive', '--fingerprint', fingerprint)).toMatchObject({ selected: 0, done: 0 });
  // Whatever came twice would have come by now.
  expect(handled()).toHaveLength(500);
}, 900_000);
