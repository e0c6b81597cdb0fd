import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import type { Invoker } from '../../../infra/local/event-source/invoker.ts';
import { lambdaInvoker } from '../../../infra/local/event-source/lambda-invoker.ts';
import type { FunctionSettings } from '../../../infra/local/function-settings.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { type ConsumersUnderTest, startConsumers } from './consumers-under-test.ts';
import { takeFallbackDeadLetters } from './fallback-letters.ts';
import { topicOf } from './fixtures/consumer-intent.ts';
import { applications, order, produceValues } from './orders-under-test.ts';

/** Where nothing listens. */
const NOWHERE = '127.0.0.1:1';

/** What a function's settings got wrong, one thing each; and the one error that says so: code, what and where, what to do. */
const MISTAKES: readonly {
  readonly name: string;
  readonly environment?: FunctionSettings['environment'];
  readonly says: RegExp;
}[] = [
  {
    name: 'NoTable',
    environment: { LOCKSTEP_LEDGER_TABLE: 'not-there' },
    says: /LEDGER_UNAVAILABLE: [^"]*not-there[^"]*Check that the table exists/,
  },
  {
    name: 'NoEndpoint',
    environment: { AWS_ENDPOINT_URL_DYNAMODB: `https://${NOWHERE}` },
    says: /LEDGER_UNAVAILABLE: [^"]*ECONNREFUSED 127\.0\.0\.1:1[^"]*Check that the table exists/,
  },
  {
    name: 'NoGroup',
    environment: { LOCKSTEP_CONSUMER_GROUP: null },
    says: /ENVIRONMENT_INVALID: environment variable LOCKSTEP_CONSUMER_GROUP is not set\. Deploy the function with the LockstepConsumer construct/,
  },
  {
    name: 'NoAuth',
    environment: { LOCKSTEP_KAFKA_AUTH: 'kerberos' },
    says: /ENVIRONMENT_INVALID: expected environment variable LOCKSTEP_KAFKA_AUTH to be one of `iam`, `scram`, `scram-256`, `plain`, `mtls`, `tls`, `none`, got `kerberos`\. Deploy/,
  },
  {
    name: 'NoBroker',
    environment: { LOCKSTEP_BOOTSTRAP_SERVERS: NOWHERE },
    says: /BROKER_UNREACHABLE: the letter of consumer-nobroker-0@1 [^"]*topic Consumers-NoBroker-dead-letters[^"]*ECONNREFUSED 127\.0\.0\.1:1[^"]*Check that the subnets and security groups of the function reach the brokers/,
  },
  {
    name: 'OtherTopic',
    environment: { LOCKSTEP_TOPIC: 'another' },
    says: /EVENT_FOREIGN: expected records of the topic another, got \\*"consumer-othertopic\\*"[^"]*Find out who invoked/,
  },
  {
    name: 'OtherCluster',
    says: /EVENT_FOREIGN: expected `eventSourceArn` to be arn:[^"]*, got \\*"arn:aws:kafka:us-east-1:666666666666:cluster[^"]*"[^"]*Find out/,
  },
  {
    name: 'ForEver',
    environment: { LOCKSTEP_MAX_ATTEMPTS: 'Infinity' },
    says: /DEPLOYMENT_DIFFERS: `retry\.maxAttempts` is 5 in the handler and Infinity in the construct\. [^"]*LockstepConsumer construct/,
  },
];

/** Names another cluster, and brokers of an attacker's, until the mistake is corrected. */
let isDisguised = true;
function disguised(invoker: Invoker): Invoker {
  const forged = (payload: string) =>
    payload
      .replace(/"eventSourceArn":"[^"]*"/, '"eventSourceArn":"arn:aws:kafka:us-east-1:666666666666:cluster/a/b-1"')
      .replace(/"bootstrapServers":"[^"]*"/, `"bootstrapServers":"${NOWHERE}"`);
  return {
    invoke: (functionArn, payload) => invoker.invoke(functionArn, isDisguised ? forged(payload) : payload),
  };
}

let consumers: ConsumersUnderTest;
let lambda: LambdaClient;

const ids = (name: string) => ['a', 'b', 'c'].map((id) => `${name}-${id}`);

beforeAll(async () => {
  lambda = new LambdaClient({ ...clientConfig(inject('localCloud').endpoint), maxAttempts: 1 });
  const settings = MISTAKES.map(({ name, environment = {} }) => [name, { environment }]);
  consumers = await startConsumers('badInput', {
    settings: Object.fromEntries(settings),
    invokerOf: ({ name }) => (name === 'OtherCluster' ? disguised(lambdaInvoker(lambda)) : undefined),
  });
  for (const { name } of MISTAKES) {
    const [a = '', b = '', c = ''] = ids(name).map((id) => order(id));
    await produceValues(consumers.kafka, topicOf({ name }), 0, [a, 'no order', b, c]);
  }
});

afterAll(async () => {
  await consumers?.stop();
  lambda?.destroy();
});

test.each(MISTAKES)('$name: one error with a code, where it is, and what to do', async ({ name, says }) => {
  const printed = () => consumers.printed.filter((line) => line.startsWith(`${name}: `)).join('\n');
  await vi.waitFor(() => expect(printed()).toMatch(says), { timeout: 180_000, interval: 250 });
});

describe('once the mistake is corrected', () => {
  beforeAll(async () => {
    await Promise.all(MISTAKES.map(({ name }) => consumers.set(name, { timeoutSeconds: 60 })));
    isDisguised = false;
  });

  test.each(MISTAKES)('$name has lost nothing and kept the order', async ({ name }) => {
    await expect.poll(() => consumers.lag(name), { timeout: 180_000, interval: 500 }).toBe(0);

    // On a busy machine an invocation may run into its short timeout: then what it did may be done again.
    expect(Object.keys(await applications(consumers, `${name}-`)).toSorted()).toEqual(ids(name));
    const asked = consumers.counterpart.calls.filter(({ id }) => ids(name).includes(id)).map(({ id }) => id);
    expect([...new Set(asked)]).toEqual(ids(name));
    const onTopic = (await consumers.letters(name)).map(({ value }) => String(value));
    const inQueue = (await takeFallbackDeadLetters(consumers, name)).map(({ value }) => String(value));
    expect([...new Set([...onTopic, ...inQueue])]).toEqual(['no order']);
  });
});
