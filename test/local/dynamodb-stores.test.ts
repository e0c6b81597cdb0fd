import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DynamoDbLocal, startDynamoDbLocal } from '../../infra/local/dynamodb-local.ts';
import { dynamoDbClient } from '../../shared/adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbLedgerRepair } from '../../shared/adapters/dynamodb/dynamodb-ledger-repair.ts';
import { dynamoDbLedgerStore } from '../../shared/adapters/dynamodb/dynamodb-ledger-store.ts';
import { type BlockedRecord, FRESH_PROGRESS, type Progress } from '../../shared/decide/progress.ts';
import { decisionAction, decisionsKey } from '../../shared/operator/change-partition.ts';
import { repairPartition } from '../../shared/operator/repair-partition.ts';
import type { BrokenItem, LedgerRepair } from '../../shared/ports/ledger-repair.ts';
import { type LedgerPartition, ledgerKey } from '../../shared/record/item-identifier.ts';
import type { TransactAction } from '../../shared/transact-action.ts';
import { createTables, dynamoDbUnderTest, LEDGER_TABLE } from '../contracts/dynamodb-under-test.ts';
import { effectPut } from '../contracts/fake-under-test.ts';
import {
  claimBy,
  LEASED,
  type LedgerUnderTest,
  NOW,
  newId,
  newPartition,
  writeBy,
} from '../contracts/ledger-under-test.ts';
import { itemFixture } from '../fixtures/item-fixture.ts';
import { countRequests, type RequestCount } from '../fixtures/request-count.ts';

let server: DynamoDbLocal;
let client: DynamoDBClient;
let count: RequestCount;
let onServer: LedgerUnderTest;

beforeAll(async () => {
  server = await startDynamoDbLocal();
  client = dynamoDbClient({ ...server.clientConfig, connectionTimeoutMs: 30_000, requestTimeoutMs: 30_000 });
  await createTables(client);
  count = countRequests(client);
  onServer = dynamoDbUnderTest(client);
});

afterAll(async () => {
  client?.destroy();
  await server?.stop();
});

async function rawItem(pk: string) {
  const { Item } = await client.send(new GetItemCommand({ TableName: LEDGER_TABLE, Key: { pk: { S: pk } } }));
  return Item;
}

describe('what DynamoDB bills', () => {
  /** 64 first records of batches of 100 and everything below settled: an item in its steady state. */
  const firstRecords = Array.from({ length: 64 }, (_, index) => ({
    offset: 1_000_000 + 100 * index,
    timestamp: NOW + 1_000 * index,
    valueHash: '47DEQpj8HBS',
  }));
  const steady: Progress = { ...FRESH_PROGRESS, firstRecords, settled: [{ from: 1_000_000, to: 1_006_399 }] };

  test('two write units for claim and commit of an item in its steady state', async () => {
    const { ledger } = onServer;
    const partition = newPartition();
    const request = claimBy(partition, 'Jq0xW6t2Zb8kP4mN1vR7yA');
    await ledger.claim(request);
    await ledger.write(writeBy(partition, request.owner, { progress: steady, release: true }));
    count.reset();

    await ledger.claim(request);
    await ledger.write(writeBy(partition, request.owner, { epoch: 2, rev: 3, progress: steady, release: true }));

    expect([...count.requests]).toEqual([['UpdateItemCommand', 2]]);
    expect(count.capacityUnits).toBe(2);
  });

  test('one request for a write with effects', async () => {
    const { ledger, effect } = onServer;
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    count.reset();

    await ledger.write(writeBy(partition, 'a', { effects: [effect(newId('debit'))] }));

    // Units are not looked at: AWS bills two for an item of a transaction, DynamoDB Local tells four.
    expect([...count.requests]).toEqual([['TransactWriteItemsCommand', 1]]);
  });

  test('ten requests for the claims of 250 keys, as many for their completions, and a look-up only of those that are held', async () => {
    const { keys } = onServer;
    const claimedBy = { ledgerKey: 'partition#c#g#orders#3', epoch: 1 };
    const status = 'IN_PROGRESS';
    const item = { status, position: 'orders-3@1', claimedBy, valueHash: '47DEQpj8HBS', expiresAt: NOW } as const;
    const wanted = Array.from({ length: 250 }, () => ({ key: newId('key#billing#'), item }));
    count.reset();

    await keys.claim(wanted);
    await keys.complete(wanted);
    expect([...count.requests]).toEqual([['BatchExecuteStatementCommand', 20]]);

    count.reset();
    await keys.claim(wanted);
    expect([...count.requests]).toEqual([
      ['BatchExecuteStatementCommand', 10],
      ['BatchGetItemCommand', 3],
    ]);
  });
});

describe('an item that this code cannot read', () => {
  test('of a newer version is left as it is: its epoch and its lease are not taken', async () => {
    const partition = newPartition();
    const item = { ...(await itemFixture('v2-released')), pk: { S: ledgerKey(partition) }, v: { N: '4' } };
    await client.send(new PutItemCommand({ TableName: LEDGER_TABLE, Item: item }));

    const unreadable = { code: 'LEDGER_ITEM_UNREADABLE', message: expect.stringContaining(ledgerKey(partition)) };
    await expect(onServer.ledger.claim(claimBy(partition, 'a'))).rejects.toMatchObject(unreadable);
    await expect(onServer.ledger.read(partition)).rejects.toMatchObject(unreadable);
    expect(await rawItem(ledgerKey(partition))).toEqual(item);
  });

  test('changed by hand is named when it is claimed', async () => {
    const partition = newPartition();
    const item = { ...(await itemFixture('v2-released')), pk: { S: ledgerKey(partition) }, settled: { S: '?' } };
    await client.send(new PutItemCommand({ TableName: LEDGER_TABLE, Item: item }));

    await expect(onServer.ledger.claim(claimBy(partition, 'a'))).rejects.toMatchObject({
      code: 'LEDGER_ITEM_UNREADABLE',
      message: expect.stringContaining(`ledger item ${ledgerKey(partition)}: "?" is not an encoded offset range`),
    });
  });
});

describe('a reset of an item that this code cannot read', () => {
  const DECIDED = { S: 'made by a rolled back version' };
  let repair: LedgerRepair;
  beforeAll(() => {
    repair = dynamoDbLedgerRepair({ client, table: LEDGER_TABLE });
  });

  /** A released item of epoch 9, changed. */
  async function broken(changes: Readonly<Record<string, AttributeValue | undefined>>) {
    const partition = newPartition();
    const item = { ...(await itemFixture('v2-released')), ...changes, pk: { S: ledgerKey(partition) } };
    const Item = Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as typeof item;
    await client.send(new PutItemCommand({ TableName: LEDGER_TABLE, Item: Item as Record<string, AttributeValue> }));
    return partition;
  }

  async function reset(partition: LedgerPartition, { force = false, now = LEASED + 60_000 } = {}) {
    const found = await repair.look(partition);
    if (found === undefined) throw new Error('the item can be read');
    const ports = {
      repair,
      clock: { now: () => now, sleep: async () => {} },
      record: decisionAction.bind(null, LEDGER_TABLE),
    };
    const decision = { partition, change: { type: 'reset' }, who: 'ann', why: DECIDED.S, force } as const;
    return repairPartition(decision, found, ports);
  }

  test.each([
    ['of a newer version', { v: { N: '4' }, unheardOf: { S: 'x' } }, 'its format version is 4'],
    ['without a version', { v: undefined }, 'it has no format version'],
    ['changed by hand', { settled: { S: '?' } }, '"?" is not an encoded offset range'],
    ['with a broken revision', { rev: { S: 'seven' } }, 'expected attribute rev to be an integer'],
  ])('%s forgets everything but its epoch, and who and why is kept', async (_, changes, why) => {
    const epoch = Number((await itemFixture('v2-released'))['epoch']?.N);
    const partition = await broken(changes);

    expect(await reset(partition)).toContain(why);

    expect(await repair.look(partition)).toBeUndefined();
    const claim = await onServer.ledger.claim(claimBy(partition, 'heir', { now: LEASED + 60_000 }));
    expect(claim.item).toMatchObject({ epoch: epoch + 2, progress: FRESH_PROGRESS });
    expect((await rawItem(ledgerKey(partition)))?.['unheardOf']).toBeUndefined();
    const decisions = await rawItem(decisionsKey(partition));
    expect(decisions?.['entries']?.L).toMatchObject([
      { M: { change: { S: 'reset' }, why: DECIDED, epoch: { N: String(epoch + 1) } } },
    ]);
  });

  test.each([undefined, { S: '9' }, { N: '1.5' }])(
    'goes on from an epoch above all that were granted where the last one is lost: %j',
    async (epoch) => {
      const partition = await broken({ epoch });
      await reset(partition, { now: NOW });
      expect((await onServer.ledger.read(partition))?.epoch).toBe(NOW + 1);
    },
  );

  test.each(['v', 'epoch', 'rev', 'owner', 'leaseUntil'])(
    'does nothing to an item whose %s was changed meanwhile',
    async (name) => {
      const partition = await broken({ settled: { S: '?' } });
      const found = await repair.look(partition);
      const seen = (await rawItem(ledgerKey(partition))) ?? {};
      const Item = { ...seen, [name]: name === 'owner' ? { S: 'somebody' } : { N: '77' } };
      await client.send(new PutItemCommand({ TableName: LEDGER_TABLE, Item }));

      expect(await repair.replace(partition, found as BrokenItem, 10, NOW, [])).toBe(false);

      expect(await rawItem(ledgerKey(partition))).toEqual(Item);
    },
  );

  test('does not bring back an item that is gone', async () => {
    const partition = await broken({ v: undefined, epoch: undefined, rev: undefined, leaseUntil: undefined });
    const found = await repair.look(partition);
    await client.send(new DeleteItemCommand({ TableName: LEDGER_TABLE, Key: { pk: { S: ledgerKey(partition) } } }));

    expect(await repair.replace(partition, found as BrokenItem, 10, NOW, [])).toBe(false);
  });

  test('is refused while a newer version holds the partition, unless it is forced', async () => {
    const held = { v: { N: '4' }, owner: { S: 'newer' }, leaseUntil: { N: String(NOW + 5_000) } };
    const partition = await broken(held);

    await expect(reset(partition, { now: NOW })).rejects.toThrow(/^PARTITION_HELD/);
    expect(await rawItem(ledgerKey(partition))).toMatchObject(held);
    await reset(partition, { now: NOW, force: true });
    expect(await repair.look(partition)).toBeUndefined();
  });

  test('is not for items that can be read, nor where there is none', async () => {
    expect(await repair.look(newPartition())).toBeUndefined();
    expect(await repair.look(await broken({}))).toBeUndefined();
  });
});

test('claims and goes on from every partition item that version 1 wrote', async () => {
  for (const name of ['v2-claimed', 'v2-claimed-after-a-death', 'v2-every-field', 'v2-released', 'v2-typical']) {
    const partition = newPartition();
    const written = { ...(await itemFixture(name)), pk: { S: ledgerKey(partition) } };
    await client.send(new PutItemCommand({ TableName: LEDGER_TABLE, Item: written }));

    const claim = await onServer.ledger.claim(claimBy(partition, 'heir', { now: LEASED + 60_000 }));
    const { epoch, rev, progress } = claim.item;

    expect(claim.type).toBe('granted');
    expect(await onServer.ledger.write({ ...writeBy(partition, 'heir'), epoch, rev, progress })).toEqual({
      type: 'written',
    });
    expect((await onServer.ledger.read(partition))?.progress).toStrictEqual(progress);
  }
});

test('a table that does not exist is named, and not waited for', async () => {
  const ledger = dynamoDbLedgerStore({ client, table: 'lockstep-lost' });

  await expect(ledger.claim(claimBy(newPartition(), 'a'))).rejects.toMatchObject({
    code: 'LEDGER_UNAVAILABLE',
    transient: false,
    message: expect.stringContaining('table lockstep-lost failed with ResourceNotFoundException'),
  });
});

test('an item over 400 KB is refused for good, and changes nothing', async () => {
  const partition = newPartition();
  const { item } = await onServer.ledger.claim(claimBy(partition, 'a'));
  const blockedRecords = Array.from({ length: 500 }, (_, offset): [number, BlockedRecord] => [
    offset,
    {
      offset,
      timestamp: NOW,
      valueHash: 'AAAA',
      attempts: 1,
      interruptions: 0,
      exhausted: false,
      error: { name: 'Error', text: 'x'.repeat(1_000), stage: 'handler' },
    },
  ]);

  const failed = onServer.ledger.write(
    writeBy(partition, 'a', { progress: { ...FRESH_PROGRESS, blockedRecords: new Map(blockedRecords) } }),
  );

  await expect(failed).rejects.toMatchObject({ code: 'LEDGER_ITEM_FULL', transient: false });
  expect(await onServer.ledger.read(partition)).toEqual(item);
});

describe('an effect that DynamoDB cannot carry out is the record handler’s fault, not the ledger’s', () => {
  const broken = { Put: { ...effectPut('accounts', 'x').Put, ConditionExpression: 'is it?' } };
  const sameItemTwice = effectPut('accounts', 'twice');
  test.each<[string, (pk: string) => readonly TransactAction[]]>([
    ['an expression that does not parse', () => [broken]],
    ['a table that does not exist', () => [effectPut('lockstep-lost', 'x')]],
    ['an item named twice', () => [sameItemTwice, sameItemTwice]],
    ['the partition item itself', (pk) => [effectPut(LEDGER_TABLE, pk)]],
    [
      'more actions than a transaction takes',
      () => Array.from({ length: 100 }, () => effectPut('accounts', newId('x'))),
    ],
    ['an action without an item', () => [{ Put: { TableName: 'accounts' } } as never]],
    ['an action that is none', () => [{ Sing: { TableName: 'accounts' } } as never]],
  ])('%s', async (_, effects) => {
    const partition = newPartition();
    const { item } = await onServer.ledger.claim(claimBy(partition, 'a'));

    const answer = await onServer.ledger.write(writeBy(partition, 'a', { effects: effects(ledgerKey(partition)) }));

    expect(answer).toMatchObject({ type: 'cancelled', reasons: [{ text: expect.stringMatching(/\S/) }] });
    expect(await onServer.ledger.read(partition)).toEqual(item);
  });
});
