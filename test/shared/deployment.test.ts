import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../shared/connection.ts';
import { checkDeployedOptions, checkEventSource, type Deployment } from '../../shared/deployment.ts';
import { LockstepError } from '../../shared/errors.ts';
import { byPosition, lockstepConsumer, text } from '../../shared/lockstep-consumer.ts';
import { resolveOptions } from '../../shared/options.ts';
import { type KafkaEvent, parseKafkaEvent } from '../../shared/record/kafka-event.ts';
import { DeliveryWorld } from '../../shared/testing/delivery-world.ts';
import { kafkaEvent, record } from '../../shared/testing/record.ts';
import type { SomeOptions } from '../fixtures/record-options.ts';

const CLUSTER = 'arn:aws:kafka:eu-central-1:111122223333:cluster/shop/uuid-1';
const deployment: Deployment = {
  eventSourceArn: CLUSTER,
  topic: 'orders',
  maxAttempts: 5,
  maxInterruptions: 3,
  onExhausted: 'deadLetter',
  keyNamespaces: ['shop-orders'],
};
const real = kafkaEvent([record({ value: 'a' }), record({ partition: 1, value: 'b' })], { eventSourceArn: CLUSTER });
const [first = []] = Object.values(real.records);

describe('an event of the mapping', () => {
  test('passes', () => {
    expect(() => checkEventSource(parseKafkaEvent(real), deployment)).not.toThrow();
  });

  test('passes where the topic’s name holds dashes and digits', () => {
    const event = kafkaEvent([record({ topic: 'orders-1', partition: 12, value: 'a' })], { eventSourceArn: CLUSTER });
    expect(() => checkEventSource(parseKafkaEvent(event), { ...deployment, topic: 'orders-1' })).not.toThrow();
  });
});

const { eventSourceArn: _, ...withoutArn } = real;
const selfManaged: KafkaEvent = { ...withoutArn, eventSource: 'SelfManagedKafka' };

describe('an event of a self-managed cluster', () => {
  const anywhere = { ...deployment, eventSourceArn: 'lkc-1' };

  test('passes, with the id of the cluster for the ledger, whatever its brokers are', () => {
    const moved = { ...selfManaged, bootstrapServers: 'other:9092' };
    expect(checkEventSource(parseKafkaEvent(selfManaged), anywhere).cluster).toBe('lkc-1');
    expect(checkEventSource(parseKafkaEvent(moved), anywhere).cluster).toBe('lkc-1');
  });

  test('is refused where it is of a cluster on MSK', () => {
    expect(() => checkEventSource(parseKafkaEvent(real), anywhere)).toThrow(
      `expected \`eventSourceArn\` to be none, got "${CLUSTER}"`,
    );
  });
});

describe.each<[string, KafkaEvent, string]>([
  [
    'another cluster',
    { ...real, eventSourceArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/other/uuid-2' },
    'expected `eventSourceArn` to be arn:aws:kafka:eu-central-1:111122223333:cluster/shop/uuid-1, got "arn:aws:kafka:eu-central-1:111122223333:cluster/other/uuid-2"',
  ],
  [
    'the same uuid under another account',
    { ...real, eventSourceArn: 'arn:aws:kafka:eu-central-1:666666666666:cluster/shop/uuid-1' },
    'got "arn:aws:kafka:eu-central-1:666666666666:cluster/shop/uuid-1"',
  ],
  ['a self-managed cluster', selfManaged, 'got none'],
  [
    'another topic',
    kafkaEvent([record({ topic: 'payroll', value: 'a' })], { eventSourceArn: CLUSTER }),
    'expected records of the topic orders, got "payroll"',
  ],
  [
    'another topic beside its own',
    { ...real, records: { ...real.records, ...kafkaEvent([record({ topic: 'payroll', value: 'a' })]).records } },
    'expected records of the topic orders, got "payroll"',
  ],
  [
    'records of one partition under the name of another',
    { ...real, records: { 'orders-7': first } },
    'expected the records of orders-0 under that name, got "orders-7"',
  ],
  [
    'a partition whose number is written otherwise',
    { ...real, records: { 'orders-00': first } },
    'expected the records of orders-0 under that name, got "orders-00"',
  ],
  ['a name that acts on a log', { ...real, records: { 'orders-0\n{"level":"INFO"}': first } }, '\\n{\\"level\\"'],
])('an event of %s', (_name, event, says) => {
  test('is refused whole, with what was expected and what came', () => {
    expect(() => checkEventSource(parseKafkaEvent(event), deployment)).toThrow(
      expect.objectContaining({ code: 'EVENT_FOREIGN', message: expect.stringContaining(says) }),
    );
  });

  test('is refused before anything is claimed or handled', async () => {
    const handled: unknown[] = [];
    const { error, claims } = await invoke({ onRecord: (one) => void handled.push(one) }, event);

    expect(error).toMatchObject({ code: 'EVENT_FOREIGN' });
    expect(claims).toBe(0);
    expect(handled).toEqual([]);
  });
});

test('whatever an event says of itself, it either is of the mapping or is refused with a code', () => {
  const partition = fc.oneof(fc.constant(0), fc.nat(3), fc.constant('0'), fc.anything());
  const raw = fc.record({
    topic: fc.oneof(fc.constant('orders'), fc.anything()),
    partition,
    offset: fc.oneof(fc.nat(5), fc.anything()),
    timestamp: fc.oneof(fc.nat(), fc.anything()),
    value: fc.anything(),
  });
  const event = fc.record({
    eventSource: fc.oneof(fc.constant('aws:kafka'), fc.constant('SelfManagedKafka'), fc.anything()),
    eventSourceArn: fc.oneof(fc.constant(CLUSTER), fc.anything()),
    bootstrapServers: fc.anything(),
    records: fc.oneof(
      fc.dictionary(fc.oneof(fc.constant('orders-0'), fc.string()), fc.array(raw, { maxLength: 3 }), { maxKeys: 2 }),
      fc.anything(),
    ),
  });
  const passed = { yes: 0, no: 0 };
  fc.assert(
    fc.property(event, (candidate) => {
      try {
        const delivered = parseKafkaEvent(candidate);
        checkEventSource(delivered, deployment);
        expect(delivered.eventSourceArn).toBe(CLUSTER);
        for (const { topic, partition: number, identifier } of delivered.partitions)
          expect([topic, identifier]).toEqual(['orders', `orders-${number}`]);
        passed.yes++;
      } catch (error) {
        if (!(error instanceof LockstepError)) throw error;
        expect(['EVENT_FOREIGN', 'EVENT_NOT_KAFKA', 'EVENT_RECORD_MALFORMED']).toContain(error.code);
        passed.no++;
      }
    }),
    { numRuns: Number(process.env['LOCKSTEP_FUZZ_RUNS'] ?? 2_000) },
  );
  expect(passed.yes).toBeGreaterThan(0);
  expect(passed.no).toBeGreaterThan(0);
});

describe('options that differ from those of the construct are refused by name', () => {
  const policyOf = (options: SomeOptions<string | null>) =>
    resolveOptions(
      { value: text, idempotencyKey: ({ position }) => position, onRecord: () => undefined, ...options },
      { consumerGroup: 'shop-orders', failureMode: 'report' },
    ).policy;

  test.each<[string, SomeOptions<string | null>, Partial<Deployment>, string]>([
    [
      'for ever in the handler alone',
      { retry: { maxAttempts: Number.POSITIVE_INFINITY } },
      {},
      '`retry.maxAttempts` is Infinity in the handler and 5 in the construct; `retry.maxInterruptions` is Infinity in the handler and 3 in the construct',
    ],
    [
      'for ever in the construct alone',
      {},
      { maxAttempts: Number.POSITIVE_INFINITY },
      '`retry.maxAttempts` is 5 in the handler and Infinity in the construct',
    ],
    [
      'fewer interruptions',
      { retry: { maxInterruptions: 1 } },
      {},
      '`retry.maxInterruptions` is 1 in the handler and 3 in the construct',
    ],
    [
      'another key namespace',
      { keyNamespace: 'payments' },
      {},
      '`keyNamespace` is `payments` in the handler, which is none of `keyNamespaces` in the construct: `shop-orders`',
    ],
    [
      'no key namespace where the construct grants another',
      {},
      { keyNamespaces: ['payments', 'refunds'] },
      '`keyNamespace` is `shop-orders` in the handler, which is none of `keyNamespaces` in the construct: `payments`, `refunds`',
    ],
  ])('%s', (_name, options, told, says) => {
    expect(() => checkDeployedOptions(policyOf(options), { ...deployment, ...told })).toThrow(
      expect.objectContaining({ code: 'DEPLOYMENT_DIFFERS', message: expect.stringContaining(says) }),
    );
  });

  test.each<[string, SomeOptions<string | null>, Partial<Deployment>]>([
    ['the defaults', {}, {}],
    [
      'for ever in both',
      { retry: { maxAttempts: Number.POSITIVE_INFINITY } },
      { maxAttempts: Number.POSITIVE_INFINITY, maxInterruptions: Number.POSITIVE_INFINITY },
    ],
    ['one of several namespaces', { keyNamespace: 'b' }, { keyNamespaces: ['a', 'b'] }],
    ['what the construct need not know', { retry: { inlineRetries: 0 }, tuning: { leaseMs: 20_000 } }, {}],
  ])('and pass where they agree: %s', (_name, options, told) => {
    expect(() => checkDeployedOptions(policyOf(options), { ...deployment, ...told })).not.toThrow();
  });

  test('at the first invocation, before anything is claimed', async () => {
    const { error, claims } = await invoke({ retry: { maxAttempts: 7 } }, real);

    expect(error).toMatchObject({
      code: 'DEPLOYMENT_DIFFERS',
      message: expect.stringContaining('`retry.maxAttempts` is 7 in the handler and 5 in the construct. Nothing was'),
    });
    expect(claims).toBe(0);
  });
});

test('a handler that agrees with its construct handles what its mapping sends', async () => {
  const values: (string | null)[] = [];
  const { error, claims } = await invoke({ onRecord: ({ value }) => void values.push(value) }, real);

  expect(error).toBeUndefined();
  expect(claims).toBe(2);
  expect(values.toSorted()).toEqual(['"a"', '"b"']);
});

/** Invokes a deployed handler. */
async function invoke(options: SomeOptions<string | null>, event: KafkaEvent) {
  const world = new DeliveryWorld({});
  const connection = world.newProcess();
  let claims = 0;
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    onRecord: () => undefined,
    ...options,
  });
  const { ledger } = connection.ports;
  const counting = {
    ...ledger,
    claim: (request: Parameters<typeof ledger.claim>[0]) => {
      claims++;
      return ledger.claim(request);
    },
  };
  const deployed = {
    ...connection,
    deployment: { ...deployment, keyNamespaces: ['deliver'] },
    ports: { ...connection.ports, ledger: counting },
  };
  const error = await world.clock.runUntilSettled(invokeWith(handler, deployed, event, world.context())).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  world.close();
  return { error, claims };
}
