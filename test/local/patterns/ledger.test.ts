import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { functionWorkers, killWorker } from '../../../infra/local/function-workers.ts';
import { patternCloud } from './pattern-cloud.ts';

/** `npm run test:long` takes 50. */
const KILLS = Number(process.env['LOCKSTEP_LEDGER_DEATHS'] ?? 12);
const ACCOUNTS = 40;

test('functions/ledger agrees to the cent after its processes died at random moments', {
  timeout: 900_000,
}, async () => {
  const { cloud, produce, items, records, consumer } = await patternCloud();
  const run = randomUUID();
  const produced = new Map<string, { readonly accountId: string; readonly amount: number }>();
  const deposits = (count: number) =>
    Array.from({ length: count }, () => {
      const entryId = `${run}-${produced.size}`;
      const entry = { accountId: `${run}-account-${randomInt(ACCOUNTS)}`, amount: randomInt(-50_000, 100_000) };
      produced.set(entryId, entry);
      return { key: entry.accountId, value: JSON.stringify({ entryId, ...entry }) };
    });

  let deaths = 0;
  let killed = 0;
  let answered = 0;
  const running = await runConsumers(cloud, {
    consumers: ['Postings'],
    // One for each partition: a death stops that one only.
    pollers: 6,
    eventSource: {
      onInvocation: (_, invocation) => {
        if (invocation.type === 'answered') answered++;
        // One that dies before it runs anything (killed while it starts) proves nothing and does not count.
        if (invocation.type === 'functionError' && invocation.payload.includes('Worker process died')) deaths++;
      },
    },
  });
  onTestFinished(() => running.stop());
  while (deaths < KILLS) {
    await produce('entries', deposits(60));
    // On a busy machine a process takes long to start: one that has not run yet is no target.
    const before = answered;
    await vi.waitFor(() => expect(answered).toBeGreaterThan(before), { timeout: 180_000, interval: 10 });
    await pause(randomInt(0, 900));
    const workers = await functionWorkers(cloud, consumer('Postings').function);
    const victim = workers[randomInt(Math.max(1, workers.length))];
    if (victim !== undefined && killWorker(victim)) killed++;
  }

  const ours = async (table: string) => (await items(table)).filter(({ accountId }) => accountId?.S?.startsWith(run));
  await expect
    .poll(async () => (await ours('EntriesTableName')).length, { timeout: 240_000, interval: 1_000 })
    .toBe(produced.size);

  const entries = await ours('EntriesTableName');
  const balances = await ours('BalancesTableName');
  const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
  const wanted = sum([...produced.values()].map(({ amount }) => amount));
  console.log(`${produced.size} entries, ${deaths} deaths in mid-invocation of ${killed} kills, sum ${wanted} cents`);
  expect(sum(entries.map(({ amount }) => Number(amount?.N)))).toBe(wanted);
  expect(sum(balances.map(({ balance }) => Number(balance?.N)))).toBe(wanted);
  expect(sum(balances.map(({ entries: count }) => Number(count?.N)))).toBe(produced.size);
  for (const { accountId, balance } of balances) {
    const own = [...produced.values()].filter((entry) => entry.accountId === accountId?.S);
    expect(Number(balance?.N)).toBe(sum(own.map(({ amount }) => amount)));
  }
  expect(
    (await records('Lockstep-Patterns-local-Postings-dead-letters')).filter(({ key }) => key.startsWith(run)),
  ).toEqual([]);
  expect(deaths).toBeGreaterThanOrEqual(KILLS);
});
