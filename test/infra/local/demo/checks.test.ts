import { expect, test } from 'vitest';
import { type Check, checks, type Letter, type Observed } from '../../../../infra/local/demo/checks.ts';
import type { CreditRequest } from '../../../../infra/local/demo/credit-service.ts';
import { demoPlan } from '../../../../infra/local/demo/demo-plan.ts';

const plan = demoPlan(1_300);

const APPLIED = 'All 1300 orders are in the table, and no others';
const IN_ORDER = 'Each partition was handled in the order in which it was produced, nothing twice';
const FLAKY =
  'The order whose credit check failed twice came through on the third try, before its followers, without a letter';
const ONCE = 'The order that was produced twice was applied once, as was every other';
const POISON =
  'The poison order is the only letter: same key and value, same partition, headers that say where it came from';
const ALARM = 'The dead-letter alarm went to ALARM';
const LAG = 'The consumer group has committed everything';

const letter: Letter = {
  partition: 2,
  key: 'customer-poison',
  value: '{"orderId":"order-poison","customerId":"customer-poison","amount":"a lot","currency":"EUR"}',
  headers: {
    'x-original-topic': 'orders',
    'x-original-partition': '2',
    'x-original-offset': '300',
    'x-stage': 'validate',
  },
};

/** A run in which everything went as promised, one partition after another. */
function goodRun(): Observed & { requests: CreditRequest[]; applications: Map<string, number> } {
  const requests = [0, 1, 2].flatMap((partition) =>
    plan.orderIds
      .filter((_, index) => index % 3 === partition)
      .flatMap((orderId) => {
        const approved = { orderId, approved: true };
        const refused = { orderId, approved: false };
        return orderId === 'order-0300' ? [refused, refused, approved] : [approved];
      }),
  );
  return {
    requests,
    applications: new Map(plan.orderIds.map((id) => [id, 1])),
    letters: [letter],
    firstOffsets: new Map(),
    alarm: 'ALARM',
    lag: 0,
  };
}

function broken(found: readonly Check[]): string[] {
  return found.filter(({ held }) => !held).map(({ claim }) => claim);
}

function swap(requests: CreditRequest[], one: string, other: string): void {
  const [i, j] = [one, other].map((id) => requests.findIndex(({ orderId }) => orderId === id));
  const [first, second] = [requests[i ?? 0], requests[j ?? 0]];
  if (first === undefined || second === undefined) throw new Error('no such orders');
  requests[i ?? 0] = second;
  requests[j ?? 0] = first;
}

test('a run in which everything went as promised passes every check', () => {
  expect(broken(checks(plan, goodRun()))).toEqual([]);
});

test('the special orders are where the plan says', () => {
  expect(plan.records).toHaveLength(1_302);
  expect(plan.records.filter(({ orderId }) => orderId === plan.twice).map(({ partition }) => partition)).toEqual([
    1, 2,
  ]);
  expect([plan.flaky, plan.twice, plan.poison.partition]).toEqual(['order-0300', 'order-0601', 2]);
});

test('an order that is missing from the table is found', () => {
  const run = goodRun();
  run.applications.delete('order-0007');

  expect(broken(checks(plan, run))).toEqual([APPLIED]);
});

test('the poison order in the table is found', () => {
  const run = goodRun();
  run.applications.set('order-poison', 1);

  expect(broken(checks(plan, run))).toEqual([APPLIED]);
});

test('two orders of a partition that changed places are found, those of different partitions may', () => {
  const samePartition = goodRun();
  swap(samePartition.requests, 'order-0600', 'order-0603');
  const others = goodRun();
  swap(others.requests, 'order-1299', 'order-0001');

  expect(broken(checks(plan, samePartition))).toEqual([IN_ORDER]);
  expect(broken(checks(plan, others))).toEqual([]);
});

test('a repeated order is found', () => {
  const run = goodRun();
  run.requests.push({ orderId: 'order-0500', approved: true });
  run.applications.set('order-0500', 2);

  expect(broken(checks(plan, run))).toEqual([IN_ORDER, ONCE]);
});

test('the order that was produced twice being applied twice is found', () => {
  const run = goodRun();
  run.requests.push({ orderId: 'order-0601', approved: true });
  run.applications.set('order-0601', 2);

  expect(broken(checks(plan, run))).toEqual([ONCE]);
});

test('a follower that overtook the failing order is found', () => {
  const run = goodRun();
  const third = run.requests.findLastIndex(({ orderId }) => orderId === 'order-0300');
  const overtaken = [...run.requests];
  const [last] = overtaken.splice(third, 1);
  if (last !== undefined) overtaken.splice(third + 1, 0, last);

  expect(broken(checks(plan, { ...run, requests: overtaken }))).toEqual([IN_ORDER, FLAKY]);
});

test('a letter for the failing order, or none for the poison order, is found', () => {
  const value = '{"orderId":"order-0300"}';

  expect(broken(checks(plan, { ...goodRun(), letters: [letter, { ...letter, value }] }))).toEqual([FLAKY, POISON]);
  expect(broken(checks(plan, { ...goodRun(), letters: [] }))).toEqual([POISON]);
});

test.each([
  ['another value', { ...letter, value: letter.value?.replace('a lot', 'a bit') }],
  ['another key', { ...letter, key: undefined }],
  ['another partition', { ...letter, partition: 0 }],
  ['a wrong offset', { ...letter, headers: { ...letter.headers, 'x-original-offset': '301' } }],
  ['no headers', { ...letter, headers: {} }],
])('a letter with %s is found', (_, wrong) => {
  expect(broken(checks(plan, { ...goodRun(), letters: [wrong] }))).toEqual([POISON]);
});

test('on a broker that was there before, the letter names the offset there', () => {
  const firstOffsets = new Map([[2, 1_000]]);
  const moved = { ...letter, headers: { ...letter.headers, 'x-original-offset': '1300' } };

  expect(broken(checks(plan, { ...goodRun(), firstOffsets }))).toEqual([POISON]);
  expect(broken(checks(plan, { ...goodRun(), firstOffsets, letters: [moved] }))).toEqual([]);
});

test('an alarm that did not fire and records that are left are found', () => {
  expect(broken(checks(plan, { ...goodRun(), alarm: 'OK' }))).toEqual([ALARM]);
  expect(broken(checks(plan, { ...goodRun(), alarm: undefined, lag: 3 }))).toEqual([ALARM, LAG]);
});
