import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { commandEnvironment } from '../fixtures/command-environment.ts';
import { patternCloud } from './pattern-cloud.ts';

const PARTITIONS = 3;
/** `npm run test:long` takes 200. */
const SKUS = Number(process.env['LOCKSTEP_STOCK_SKUS'] ?? 40);
const CHANGES_PER_SKU = 25;
const POISONED = SKUS / 10;

test('functions/stock keeps the order of each SKU whose change cannot be applied, and applies each change once', {
  timeout: 900_000,
}, async () => {
  const { cloud, produce, records, items, consumer } = await patternCloud();
  const { function: stock } = consumer('Stock');
  const run = randomUUID().slice(0, 8);
  const skus = Array.from({ length: SKUS }, (_, index) => `${run}-${index}`);
  const poisoned = new Set(skus.slice(0, POISONED));
  const changes = Array.from({ length: CHANGES_PER_SKU }, (_, round) =>
    skus.map((sku, index) => ({
      partition: index % PARTITIONS,
      key: sku,
      value: JSON.stringify({
        changeId: `${sku}-${String(round).padStart(2, '0')}`,
        sku,
        // ADD 100, then REMOVE 4 each: never below zero in order, and below at once out of order.
        type: round === 0 ? 'ADD' : 'REMOVE',
        quantity: round === 0 ? 100 : 4,
        warehouse: round === 0 && poisoned.has(sku) ? 'new' : 'main',
      }),
    })),
  ).flat();
  const givenUp = `given-up-${run}`;
  const change = (changeId: string, warehouse: string) => ({
    partition: 0,
    key: givenUp,
    value: JSON.stringify({ changeId, sku: givenUp, type: 'ADD', quantity: 1, warehouse }),
  });
  changes.push(change('given-up-1', 'new'), change('given-up-2', 'main'));
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-stock-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const cloudFile = join(folder, 'cloud.json');
  await writeFile(cloudFile, JSON.stringify(cloud));
  const env = { ...commandEnvironment(), LOCKSTEP_CLOUD_FILE: cloudFile, NO_COLOR: '1' };
  const lockstep = (...command: readonly string[]) =>
    new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
      const args = ['cli/main.ts', ...command, '--local', '--consumer', 'Stock', '--json'];
      execFile(process.execPath, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
      });
    });
  const parked = async () =>
    JSON.parse((await lockstep('parked')).stdout) as readonly { key: string; waiting: number }[];
  const ours = async () => (await items('StockTableName')).filter(({ sku }) => sku?.S?.startsWith(run));

  const running = await runConsumers(cloud, { consumers: ['Stock'] });
  onTestFinished(() => running.stop());
  await produce('stock', changes);
  for (let kills = 0; kills < 4; kills++) {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await killFunctionWorkers(cloud, stock);
  }

  // The others are through, and those that are parked have not begun.
  const level = async (healthy: boolean) =>
    (await ours()).filter(({ sku, level: now }) => poisoned.has(sku?.S ?? '') !== healthy && now?.N === '4').length;
  await expect.poll(() => level(true), { timeout: 400_000, interval: 1_000 }).toBe(SKUS - POISONED);
  await expect
    .poll(async () => (await parked()).filter(({ key }) => poisoned.has(key)).map(({ waiting }) => waiting), {
      timeout: 120_000,
      interval: 1_000,
    })
    .toEqual(Array(POISONED).fill(CHANGES_PER_SKU));
  expect((await ours()).filter(({ sku }) => poisoned.has(sku?.S ?? ''))).toEqual([]);

  // A release before anything is mended changes nothing, and says so.
  const early = await lockstep('release', '--key', [...poisoned][0] ?? '', '--yes');
  expect([early.code, JSON.parse(early.stdout).keys[0]]).toMatchObject([1, { end: 'halted', settled: 0, next: 1 }]);

  await expect
    .poll(async () => (await parked()).find(({ key }) => key === givenUp)?.waiting, { timeout: 180_000 })
    .toBe(2);
  // Its two records are given up on, and what comes later is applied.
  const dropped = await lockstep('drop', '--key', givenUp, '--why', 'a test record', '--yes');
  expect([dropped.code, JSON.parse(dropped.stdout).keys]).toEqual([
    0,
    [{ key: givenUp, records: 2, type: 'dropped', freed: true, left: 0 }],
  ]);
  await produce('stock', [change('given-up-3', 'main')]);
  await expect
    .poll(async () => (await items('StockTableName')).find(({ sku }) => sku?.S === givenUp)?.['changes']?.L, {
      timeout: 120_000,
      interval: 500,
    })
    .toEqual([{ S: 'given-up-3' }]);

  await setFunction(cloud.endpoint, stock, { environment: { WAREHOUSES: 'main,new' } });
  const killing = (async () => {
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await killFunctionWorkers(cloud, stock);
  })();
  for (let tries = 0; tries < 10 && (await parked()).some(({ key }) => poisoned.has(key)); tries++)
    await lockstep('release', '--all', '--yes');
  await killing;

  expect((await parked()).filter(({ key }) => key.startsWith(run))).toEqual([]);
  const all = await ours();
  expect(all).toHaveLength(SKUS);
  for (const { sku, level: now, changes: applied } of all) {
    expect(now?.N).toBe('4');
    const inOrder = Array.from(
      { length: CHANGES_PER_SKU },
      (_, round) => `${sku?.S}-${String(round).padStart(2, '0')}`,
    );
    expect(applied?.L?.map(({ S }) => S)).toEqual(inOrder);
  }
  // Nothing was written to the source: whoever else reads it sees each change once.
  const seen = (await records('stock')).filter(({ key }) => key.startsWith(run));
  expect(seen).toHaveLength(SKUS * CHANGES_PER_SKU);
  expect(new Set(seen.map(({ value }) => JSON.parse(value).changeId)).size).toBe(SKUS * CHANGES_PER_SKU);
});
