import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDbLocal } from '../../infra/local/dynamodb-local.ts';
import { countingProxy, type Traffic } from '../dynamodb/counting-proxy.ts';
import { startConsumer } from '../measure/consumer-child.ts';
import type { BatchShape } from '../measure/orders-event.ts';
import { CONSUMER_ENVIRONMENT, PEERS, type PeerName } from '../measure/peers.ts';
import type { KeyedBy } from '../peers/common/peer.ts';
import { figure } from '../report/statistics.ts';
import type { Part } from './part.ts';

interface Counted extends Traffic {
  readonly records: number;
  readonly cpuMicros: number;
}

/** Requests and capacity: the deployed handlers against DynamoDB Local, everything that goes over the wire counted. */
export const requests: Part = async ({ sizes, partitions, progress }) => {
  await using dynamoDb = await startDynamoDbLocal();
  await createTables(dynamoDb.clientConfig);
  await using proxy = await countingProxy(dynamoDb.endpoint);
  const counted = new Map<string, Counted>();
  for (const keyedBy of ['position', 'orderId'] as const) {
    for (const name of PEERS) {
      progress(`requests: ${name} by ${keyedBy}`);
      const variables = { AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint, KEYED_BY: keyedBy };
      await using consumer = await startConsumer(name, { variables });
      for (const shape of shapes(sizes, partitions, keyedBy)) {
        const topic = `orders-${keyedBy}-${shape.records}-${shape.partitions}-${shape.kind}`;
        const round = { shape, keyedBy, topic, store: { type: 'dynamodb' }, batches: 1, allocation: false } as const;
        proxy.take();
        const { records, cpuMicros } = await consumer.run(round);
        const seen = proxy.take();
        // The first delivery of duplicates is not counted.
        const fresh = counted.get(idOf(name, keyedBy, { ...shape, kind: 'fresh' }));
        const before = shape.kind === 'duplicates' ? fresh : undefined;
        counted.set(idOf(name, keyedBy, shape), { ...without(seen, before), records, cpuMicros });
      }
    }
  }
  const cell = (pick: (counted: Counted) => number) => (keyedBy: KeyedBy, shape: BatchShape) =>
    PEERS.map((name) => {
      const known = counted.get(idOf(name, keyedBy, shape));
      return known === undefined ? '–' : figure((pick(known) / known.records) * 1_000);
    });
  const table = (caption: string, keyedBy: KeyedBy, pick: (counted: Counted) => number) => ({
    caption,
    head: ['batch', ...PEERS],
    rows: shapes(sizes, partitions, keyedBy).map((shape) => [describe(shape), ...cell(pick)(keyedBy, shape)]),
  });
  return {
    title: 'DynamoDB requests and capacity per 1,000 records',
    text: 'The deployed handlers against DynamoDB Local through a proxy that counts and asks for the consumed capacity. A write whose condition does not hold is billed as one unit (items are smaller than 1 KB) and added; a consistent read is one unit per key, found or not. `failing`: one record in the middle cannot be applied; one delivery of the batch. Duplicates: the second delivery of a batch.',
    tables: [
      table('Requests, by position', 'position', ({ requests }) => requests),
      table('Requests, with idempotency keys', 'orderId', ({ requests }) => requests),
      table('Write units, by position', 'position', ({ units, readUnits }) => units - readUnits),
      table('Write units, with idempotency keys', 'orderId', ({ units, readUnits }) => units - readUnits),
      table('Read units, with idempotency keys', 'orderId', ({ readUnits }) => readUnits),
      table(`${WITH_SDK}, by position`, 'position', ({ cpuMicros }) => cpuMicros / 1_000),
      table(`${WITH_SDK}, with idempotency keys`, 'orderId', ({ cpuMicros }) => cpuMicros / 1_000),
    ],
  };
};

const WITH_SDK = 'CPU µs a record, AWS SDK and the handler included (one cold batch each)';
/** The peers send two requests a record, one after the other: of larger batches only the fresh ones by position are counted. */
const LARGEST = 1_000;

function shapes(sizes: readonly number[], partitions: readonly number[], keyedBy: KeyedBy): BatchShape[] {
  const all = sizes.flatMap((records) =>
    partitions
      .filter((count) => count <= records)
      .flatMap((count) =>
        (['fresh', 'duplicates', 'failing'] as const).map((kind) => ({ records, partitions: count, kind })),
      ),
  );
  return all.filter(({ records, kind }) => records <= LARGEST || (kind === 'fresh' && keyedBy === 'position'));
}

/** A batch's shape in words. */
export function describe({ records, partitions, kind }: BatchShape): string {
  const plural = (count: number, noun: string) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
  return `${plural(records, 'record')}, ${plural(partitions, 'partition')}, ${kind}`;
}

function idOf(name: PeerName, keyedBy: KeyedBy, { records, partitions, kind }: BatchShape): string {
  return [name, keyedBy, records, partitions, kind].join();
}

function without(seen: Traffic, before: Traffic | undefined): Traffic {
  return {
    requests: seen.requests - (before?.requests ?? 0),
    units: seen.units - (before?.units ?? 0),
    readUnits: seen.readUnits - (before?.readUnits ?? 0),
  };
}

async function createTables(clientConfig: ConstructorParameters<typeof DynamoDBClient>[0]): Promise<void> {
  const client = new DynamoDBClient(clientConfig ?? {});
  const { LOCKSTEP_LEDGER_TABLE, IDEMPOTENCY_TABLE } = CONSUMER_ENVIRONMENT;
  for (const [TableName, key] of [
    [LOCKSTEP_LEDGER_TABLE, 'pk'],
    [IDEMPOTENCY_TABLE, 'id'],
  ] as const) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      }),
    );
  }
  client.destroy();
}
