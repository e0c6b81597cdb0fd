import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { runConsumers } from '../../../infra/local/consumers.ts';
import { setFunction } from '../../../infra/local/function-settings.ts';
import { killFunctionWorkers } from '../../../infra/local/function-workers.ts';
import { patternCloud } from './pattern-cloud.ts';

/** What the payment API answers before it is well again. */
const TROUBLE = [500, 500, 429, 500, 429, 500, 500, 429];
const PARTITIONS = 3;
const PAYMENTS = 90;

test('functions/payments blocks while the API fails, charges once, and nothing out of order', {
  timeout: 600_000,
}, async () => {
  const trouble = [...TROUBLE];
  const calls: { readonly paymentId: string; readonly status: number; readonly at: number }[] = [];
  const charges = new Map<string, number>();
  const api = createServer((request, response) => {
    const paymentId = String(request.headers['idempotency-key']);
    const status = trouble.shift() ?? 201;
    calls.push({ paymentId, status, at: Date.now() });
    // A charge of a known key is no other charge: that is what the key is for.
    if (status === 201) charges.set(paymentId, 1);
    response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end();
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void api.close());
  const paymentApiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/charges`;
  const { cloud, produce, records, consumer } = await patternCloud();
  const environment = { PAYMENT_API_URL: paymentApiUrl };
  await setFunction(cloud.endpoint, consumer('Payments').function, { environment });
  const run = randomUUID();
  const ids = Array.from({ length: PAYMENTS }, (_, index) => `${run}-${String(index).padStart(3, '0')}`);

  const running = await runConsumers(cloud, { consumers: ['Payments'] });
  onTestFinished(() => running.stop());
  await produce(
    'payments',
    ids.map((paymentId, index) => ({
      partition: index % PARTITIONS,
      key: `c-${index % PARTITIONS}`,
      value: JSON.stringify({ paymentId, customerId: `c-${index % PARTITIONS}`, amount: 100 + index, currency: 'EUR' }),
    })),
  );
  await expect.poll(() => charges.size, { timeout: 180_000, interval: 5 }).toBeGreaterThan(10);
  await killFunctionWorkers(cloud, consumer('Payments').function);
  await expect.poll(() => charges.size, { timeout: 240_000 }).toBe(PAYMENTS);

  for (let partition = 0; partition < PARTITIONS; partition++) {
    const ofPartition = ids.filter((_, index) => index % PARTITIONS === partition);
    const tried = [...new Set(calls.map(({ paymentId }) => paymentId).filter((id) => ofPartition.includes(id)))];
    expect(tried).toEqual(ofPartition);
    // No payment is tried before the one before it was charged.
    for (const [index, id] of ofPartition.entries()) {
      const firstTry = calls.findIndex(({ paymentId }) => paymentId === id);
      const before = ofPartition[index - 1];
      if (before === undefined) continue;
      const charged = calls.findIndex(({ paymentId, status }) => paymentId === before && status === 201);
      expect(charged).toBeLessThan(firstTry);
    }
  }
  // 429 asked for a second: no call of that payment comes sooner.
  for (const [index, { paymentId, status, at }] of calls.entries()) {
    const next = status === 429 ? calls.slice(index + 1).find((call) => call.paymentId === paymentId) : undefined;
    if (next !== undefined) expect(next.at - at).toBeGreaterThanOrEqual(990);
  }
  expect(
    (await records('Lockstep-Patterns-local-Payments-dead-letters')).filter(({ value }) => value.includes(run)),
  ).toEqual([]);
});
