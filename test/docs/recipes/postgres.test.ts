import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyOnce, StaleEpoch } from '../../../docs/recipes/postgres/apply-once.ts';
import { writeInvoice } from '../../../docs/recipes/postgres/invoices.ts';
import { byPosition, json, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

const RECIPE = 'docs/recipes/postgres';
const Invoice = v.object({ number: v.string(), customer: v.string(), cents: v.number() });

let sql: PGlite;

beforeAll(async () => {
  sql = new PGlite();
  await sql.exec(readFileSync(`${RECIPE}/position.sql`, 'utf8'));
  await sql.exec(`
    CREATE TABLE invoice (number text PRIMARY KEY, customer text NOT NULL, cents bigint NOT NULL);
    CREATE TABLE debt (customer text PRIMARY KEY, cents bigint NOT NULL);
  `);
});
beforeEach(() => sql.exec('TRUNCATE lockstep_position, invoice, debt').then(() => undefined));
afterAll(() => sql?.close());

/** The handler of the recipe. */
const handler = lockstepConsumer({
  value: json(Invoice),
  idempotencyKey: byPosition,
  onRecord: async (invoice, { epoch }) => {
    await applyOnce(sql, 'invoices', invoice, epoch, (transaction) => writeInvoice(transaction, invoice.value));
  },
});

const invoice = (number: string, cents: number) =>
  record({ topic: 'invoices', value: { number, customer: 'c-1', cents } });
const debts = async () => (await sql.query('SELECT customer, cents::int FROM debt')).rows;
const place = (offset: number, timestamp = 1_000 + offset) => ({ topic: 'invoices', partition: 0, offset, timestamp });
const add = (cents: number) => (transaction: Parameters<typeof writeInvoice>[0]) =>
  writeInvoice(transaction, { number: `n-${cents}`, customer: 'c-1', cents });

test('an invoice whose handler died after the commit is added once', async () => {
  const { outcomes } = await deliver(handler, [invoice('n-1', 100), invoice('n-2', 20), invoice('n-3', 3)], {
    crash: { afterRun: 2 },
  });

  expect(await debts()).toEqual([{ customer: 'c-1', cents: 123 }]);
  expect(Object.values(outcomes)).toEqual(['handled', 'handled', 'handled']);
});

test('an effect that fails leaves the position where it was, and is applied when it works', async () => {
  const failing = applyOnce(sql, 'invoices', place(7), 1, async (transaction) => {
    await add(5)(transaction);
    throw new Error('disk full');
  });
  await expect(failing).rejects.toThrow('disk full');
  expect(await debts()).toEqual([]);

  expect(await applyOnce(sql, 'invoices', place(7), 1, add(5))).toBe('applied');
  expect(await debts()).toEqual([{ customer: 'c-1', cents: 5 }]);
});

describe('a record', () => {
  test('that was committed before is a duplicate, in a later epoch too', async () => {
    await applyOnce(sql, 'invoices', place(7), 1, add(5));
    await applyOnce(sql, 'invoices', place(8), 1, add(6));

    expect(await applyOnce(sql, 'invoices', place(7), 2, add(5))).toBe('duplicate');
    expect(await debts()).toEqual([{ customer: 'c-1', cents: 11 }]);
  });

  test('of a stale epoch is refused, and changes nothing', async () => {
    await applyOnce(sql, 'invoices', place(7), 5, add(5));

    await expect(applyOnce(sql, 'invoices', place(8), 4, add(6))).rejects.toThrow(StaleEpoch);
    expect(await debts()).toEqual([{ customer: 'c-1', cents: 5 }]);
    expect((await sql.query('SELECT epoch::int, settled_offset::int FROM lockstep_position')).rows).toEqual([
      { epoch: 5, settled_offset: 7 },
    ]);
  });

  test('of a recreated topic applies, though its offset is lower', async () => {
    await applyOnce(sql, 'invoices', place(700, 5_000), 1, add(5));

    expect(await applyOnce(sql, 'invoices', place(0, 9_000), 2, add(6))).toBe('applied');
    expect(await applyOnce(sql, 'invoices', place(0, 9_000), 2, add(6))).toBe('duplicate');
    expect(await applyOnce(sql, 'invoices', place(1, 9_000), 2, add(7))).toBe('applied');
  });

  test('of another consumer or partition is another position', async () => {
    await applyOnce(sql, 'invoices', place(7), 1, add(5));

    expect(await applyOnce(sql, 'reminders', place(7), 1, add(6))).toBe('applied');
    expect(await applyOnce(sql, 'invoices', { ...place(7), partition: 1 }, 1, add(7))).toBe('applied');
  });
});

test.each(['position.sql', 'apply-once.ts', 'invoices.ts'])('the page shows %s as it is run here', (file) => {
  expect(readFileSync('docs/recipes/postgres.md', 'utf8')).toContain(readFileSync(`${RECIPE}/${file}`, 'utf8').trim());
});
