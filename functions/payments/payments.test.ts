import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { deliver } from '../../shared/testing/deliver.ts';
import { explore } from '../../shared/testing/explore/explore.ts';
import { record } from '../../shared/testing/record.ts';
import { chargeOverHttp } from './charge.ts';
import { paymentsConsumer } from './payments-consumer.ts';

/** A payment API that gives the prepared answers, then 201. */
let api: Server;
let answers: { readonly status: number; readonly retryAfter?: string }[] = [];
let calls: string[] = [];
let charged = new Set<string>();

beforeAll(async () => {
  api = createServer((request, response) => {
    const key = String(request.headers['idempotency-key']);
    const { status, retryAfter } = answers.shift() ?? { status: 201 };
    calls.push(`${key} ${status}`);
    if (status === 201) charged.add(key);
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('PAYMENT_API_URL', `http://127.0.0.1:${(api.address() as AddressInfo).port}`);
});

beforeEach(() => {
  answers = [];
  calls = [];
  charged = new Set();
});

afterAll(() => api.close());

const payments = (...ids: string[]) =>
  ids.map((paymentId) =>
    record({
      topic: 'payments',
      key: 'customer-1',
      value: { paymentId, customerId: 'customer-1', amount: 1_999, currency: 'EUR' },
    }),
  );

async function theHandler() {
  return (await import('./handler.ts')).handler;
}

test('charges payments in order, each with its own idempotency key', async () => {
  const { outcomes } = await deliver(await theHandler(), payments('p1', 'p2', 'p1'));

  expect(calls).toEqual(['p1 201', 'p2 201']);
  expect(outcomes).toEqual({ 'payments-0@0': 'handled', 'payments-0@1': 'handled', 'payments-0@2': 'duplicate' });
});

test('blocks at a payment that fails, however often, and writes no dead letter', async () => {
  answers = Array.from({ length: 20 }, () => ({ status: 500 }));

  const { outcomes, deadLetters } = await deliver(await theHandler(), payments('p1', 'p2'));

  expect(calls).toEqual([...Array(20).fill('p1 500'), 'p1 201', 'p2 201']);
  expect(deadLetters).toEqual([]);
  expect(outcomes).toEqual({ 'payments-0@0': 'handled', 'payments-0@1': 'handled' });
});

test('waits as long as an overloaded API says, and counts no attempt', async () => {
  answers = [{ status: 429, retryAfter: '30' }, { status: 503 }];

  const { metrics } = await deliver(await theHandler(), payments('p1'));

  expect(calls).toEqual(['p1 429', 'p1 503', 'p1 201']);
  expect(metrics).toMatchObject({ PartitionsPaused: 2, RecordsHandled: 1 });
  expect(metrics['AttemptsFailed']).toBeUndefined();
});

test('calls again after a crash, with the same key: one charge', async () => {
  await deliver(await theHandler(), payments('p1', 'p2'), { crash: { afterRun: 1 } });

  expect(calls).toEqual(['p1 201', 'p1 201', 'p2 201']);
  expect(charged).toEqual(new Set(['p1', 'p2']));
});

test('a payment is charged once whatever becomes of the process and of the API’s answers', async () => {
  await explore({
    world: () => ({
      charged: new Map<string, string>(),
      async send(_: unknown, { headers, body, signal }: RequestInit = {}) {
        signal?.throwIfAborted();
        const key = new Headers(headers).get('idempotency-key') ?? '';
        if (!this.charged.has(key)) this.charged.set(key, String(body));
        return new Response(null, { status: 201 });
      },
    }),
    handler: (api) => paymentsConsumer(chargeOverHttp('http://payments', (...call) => api.send(...call))),
    records: payments('p1', 'p2', 'p1'),
    observe: ({ charged }) => charged,
  });
});
