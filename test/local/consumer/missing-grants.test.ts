import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FunctionSettings } from '../../../infra/local/function-settings.ts';
import { CLUSTER, roleStatements, synthConsumer } from '../../infra/synth.ts';
import { type Grant, takeGrant } from '../fixtures/role-grants.ts';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { takeFallbackDeadLetters } from './fallback-letters.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { applications, order, produceValues } from './orders-under-test.ts';

// As for all suites here: what is imported from test/infra has other limits.
vi.setConfig({ testTimeout: 600_000 });

const LEDGER = 'KeepOwnProgress';

/** One consumer for each right that the orders function uses: it has all of them but that one. */
const TAKEN: readonly (Grant & { readonly name: string })[] = [
  { name: 'NoClaims', action: 'dynamodb:UpdateItem', sid: LEDGER },
  { name: 'NoKeys', action: 'dynamodb:PartiQLInsert', sid: LEDGER },
  { name: 'NoCompletions', action: 'dynamodb:PartiQLUpdate', sid: LEDGER },
  { name: 'NoLookUps', action: 'dynamodb:BatchGetItem', sid: LEDGER },
  { name: 'NoReads', action: 'dynamodb:GetItem', sid: LEDGER },
  { name: 'NoReturns', action: 'dynamodb:PartiQLDelete', sid: LEDGER },
  { name: 'NoOrders', action: 'dynamodb:UpdateItem' },
  { name: 'NoBrokers', action: 'kafka:GetBootstrapBrokers', sid: 'FindTheBrokers' },
  { name: 'NoQueue', action: 'sqs:SendMessage', sid: 'KeepWhatTheTopicRefuses' },
];
/** So that they need their right. */
const SETTINGS: Readonly<Record<string, FunctionSettings>> = {
  // Nobody told it where they are.
  NoBrokers: { environment: { LOCKSTEP_BOOTSTRAP_SERVERS: null } },
  // It talks TLS to a broker that does not, so that its letters need the queue.
  NoQueue: { environment: { LOCKSTEP_KAFKA_AUTH: 'tls' } },
};

/** What the mapping uses, or Lambda for the function; MiniStack asks for none of it. */
const NOT_FOR_THE_CODE = ['AttachToTheVpc', 'NotFromTheHandler', 'WriteOwnLogs'];
const OF_THE_MAPPING = ['FindTheBrokers kafka:DescribeCluster', 'FindTheBrokers kafka:DescribeClusterV2'];

let consumers: ConsumersUnderTest;
let givings: readonly (() => Promise<void>)[] = [];

const ids = (name: string) => ['twin', 'a', 'b', 'c', 'd'].map((id) => `${name}-${id}`);

beforeAll(async () => {
  consumers = await startConsumers('missingGrants', { settings: SETTINGS });
  const { endpoint } = consumers.cloud;
  givings = await Promise.all(
    TAKEN.map(({ name, ...grant }) => takeGrant(endpoint, consumers.consumer(name).function.roleArn, grant)),
  );
  const { counterpart, kafka } = consumers;
  counterpart.answer(async ({ id }) => {
    if (id.endsWith('-refused')) return 422;
    // Slow for the order that both partitions have: the second one meets the first one's key while that is held.
    if (id.endsWith('-twin')) await new Promise((resolve) => setTimeout(resolve, 500));
    return 204;
  });
  for (const { name } of TAKEN) {
    const [twin = '', a = '', b = '', c = '', d = ''] = ids(name).map((id) => order(id));
    await produceValues(kafka, topicOf({ name }), 0, [twin, a, order(`${name}-refused`), b]);
    await produceValues(kafka, topicOf({ name }), 1, [twin, c, d]);
  }
});

afterAll(() => consumers?.stop());

test('there is a consumer here for each right that the construct grants to the code', () => {
  const template = synthConsumer({ cluster: { ...CLUSTER, auth: 'none' } });
  const granted = roleStatements(template)
    .filter(({ Sid }) => Sid !== undefined && !NOT_FOR_THE_CODE.includes(Sid))
    .flatMap(({ Sid, Action }) => [Action].flat().map((action) => `${Sid} ${action}`))
    .filter((grant) => !OF_THE_MAPPING.includes(grant));

  // The orders table is the stack's own, its statement has no name.
  const tried = TAKEN.flatMap(({ sid, action }) => (sid === undefined ? [] : [`${sid} ${action}`]));
  expect(tried.toSorted()).toEqual(granted.toSorted());
});

describe.each(TAKEN)('without $action ($name)', ({ name, action }) => {
  test('the function’s log names the refused action', async () => {
    const refusal = `is not authorized to perform: ${action}`;
    await vi.waitFor(
      () => expect(consumers.printed.filter((line) => line.startsWith(`${name}: `)).join('\n')).toContain(refusal),
      { timeout: 180_000, interval: 250 },
    );
  });
});

describe('once the rights are given', () => {
  beforeAll(async () => {
    await Promise.all(givings.map((give) => give()));
    await Promise.all(TAKEN.map(({ name }) => consumers.set(name, { ...SETTINGS[name], timeoutSeconds: 60 })));
  });

  test.each(TAKEN.map(({ name }) => name))('%s has lost nothing and kept the order', async (name) => {
    await expect.poll(() => consumers.lag(name), { timeout: 180_000, interval: 500 }).toBe(0);

    // Nobody could say where the topic is, or the queue was asked for on purpose.
    const isParked = name === 'NoQueue' || name === 'NoBrokers';
    const letters = isParked ? await takeFallbackDeadLetters(consumers, name) : await consumers.letters(name);
    const lettered = new Set(letters.map(({ value }) => String(value)));
    expect(lettered).toContain(order(`${name}-refused`));
    const applied = await applications(consumers, `${name}-`);
    // A handler that had no right to its table may have used up its attempts: then there is a letter.
    const open = ids(name).filter((id) => applied[id] === undefined && !lettered.has(order(id)));
    expect(open).toEqual([]);
    const asked = consumers.counterpart.calls.filter(({ status }) => status === 204).map(({ id }) => id);
    for (const [earlier, later] of [
      ['a', 'b'],
      ['c', 'd'],
    ].map((pair) => pair.map((id) => `${name}-${id}`))) {
      if (earlier !== undefined && later !== undefined)
        expect(asked.indexOf(earlier)).toBeLessThan(asked.indexOf(later));
    }
  });
});
