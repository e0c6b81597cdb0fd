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

test('1,000 letters of two causes: the corrected one returns, each record once and in order, though the redrive is killed twice', async () => {
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
    const redrive = operated.start('redrive', '--fingerprint', fingerprint, '--rate', '20', '--yes');
    await expect
      .poll(async () => (await operated.ends()) - before, { timeout: 180_000, interval: 100 })
      .toBeGreaterThan(enough);
    redrive.kill('SIGKILL');
    await once(redrive, 'exit');
  }
  const midway = await operated.ask('dead-letters', 'groups');
  const left = midway.groups.find(({ errorName }: { errorName: string }) => errorName === 'CAUSE_a').count;
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(500);

  expect(await operated.ask('redrive', '--fingerprint', fingerprint, '--yes')).toMatchObject({ done: left, left: 0 });

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
  expect(await operated.ask('redrive', '--fingerprint', fingerprint, '--yes')).toMatchObject({ selected: 0, done: 0 });
  // Whatever came twice would have come by now.
  expect(handled()).toHaveLength(500);
});

test('in a terminal a redrive shows how far it is; Ctrl-C ends it after a slice, and the same command goes on', async () => {
  const callsBefore = operated.counterpart.calls.length;
  operated.counterpart.answer(() => 204);
  const redrive = operated.startInTerminal('redrive', '--error', 'CAUSE_b', '--rate', '20', '--yes');
  const ended = once(redrive.child, 'exit');
  await expect
    .poll(redrive.output, { timeout: 180_000, interval: 100 })
    .toMatch(/█+░+ \d+ % {2}[1-9]\d* of 500, \d+\/s/);

  redrive.type('\u0003');
  await expect
    .poll(redrive.output, { timeout: 180_000, interval: 20 })
    .toContain('Stopping after the current transaction. The same command goes on where this one stops.');

  expect(await ended).toEqual([1, null]);
  const [, done = '', left = ''] =
    /(\d+) of 500 returned\. (\d+) are left: run the same command again\./.exec(redrive.output()) ?? [];
  expect(Number(done)).toBeGreaterThan(0);
  expect(Number(done) + Number(left)).toBe(500);
  expect(await operated.ask('redrive', '--error', 'CAUSE_b', '--yes')).toMatchObject({ done: Number(left), left: 0 });
  const handled = () => operated.counterpart.calls.slice(callsBefore).map(({ id }) => id);
  await expect.poll(() => handled().length, { timeout: 200_000, interval: 500 }).toBe(500);
  expect(new Set(handled()).size).toBe(500);
  expect(await operated.ask('dead-letters', 'groups')).toMatchObject({ letters: 0, groups: [] });
});
