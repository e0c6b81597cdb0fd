import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttributeValue, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { invokeOperator } from '../../../cli/aws-target.ts';
import { consumersOf } from '../../../cli/consumer.ts';
import { clientConfig } from '../../../infra/local/local-endpoint.ts';
import { encodeRanges } from '../../../shared/record/offset-ranges.ts';
import { handlerText, PROJECT, runTests, writeFiles } from '../../fixtures/reproducing-project.ts';
import { type Operated, startOperated } from '../relay/operated-consumer.ts';

let operated: Operated;
/** What the counterpart answers, by id; 204 where nothing is said. */
const answers = new Map<string, number>();

beforeAll(async () => {
  operated = await startOperated('Commanded');
  operated.counterpart.answer(({ id }) => answers.get(id) ?? 204);
});
afterAll(async () => {
  await operated?.stop();
});

async function produce(partition: number, ...ids: readonly string[]) {
  await operated.produce(ids.map((value) => ({ value, key: `k-${partition}`, partition })));
}

function partitionOf(status: { partitions: { partition: number }[] }[], partition: number) {
  return status[0]?.partitions.find((one) => one.partition === partition);
}

test('status, blocked records and lag tell of a partition that is stuck; skip lets it go on, and who and why is kept', async () => {
  answers.set('stuck', 503);
  // The partition must not stay blocked when an expectation fails: the other tests use it, too.
  onTestFinished(() => void answers.delete('stuck'));
  await produce(0, 'before', 'stuck', 'after');
  await expect
    .poll(async () => partitionOf(await operated.ask('status'), 0), { timeout: 180_000, interval: 500 })
    .toMatchObject({ state: 'blocked', blockedRecords: [{ offset: 1, error: { name: 'Error' } }] });

  const { stdout, code } = await operated.lockstep('status', '--fail-if-stuck');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^Commanded {2}✖ 1 of 3 partitions stuck/);
  expect(stdout.split('\n').filter((line) => line.startsWith('✖'))).toHaveLength(1);
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(await operated.ask('blocked')).toMatchObject([
    { position: 'operated-commanded-0@1', errorText: 'order stuck: the counterpart answered 503' },
  ]);
  // The ledger knows of the blocked record before the poller commits what came before it.
  await expect.poll(() => operated.lag(), { timeout: 180_000 }).toBe(2);
  const { stdout: lines } = await operated.lockstep('lag', '--watch', '0.2', '--times', '2', '--json');
  const [, second] = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(partitionOf([{ partitions: second }], 0)).toMatchObject({ lag: 2, perSecond: 0 });

  const dry = await operated.ask('skip', 'operated-commanded-0@1', '--why', 'a test order', '--dry-run');
  expect(dry).toMatchObject({ changed: false });
  const wrong = await operated.lockstep('skip', 'operated-commanded-0@7', '--why', 'a mistake', '--yes');
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('OPERATION_REFUSED: skip of operated-commanded-0: offset 7 blocks nothing');
  await expect
    .poll(
      async () => (await operated.lockstep('skip', 'operated-commanded-0@1', '--why', 'a test order', '--yes')).code,
      {
        timeout: 180_000,
      },
    )
    .toBe(0);

  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  expect(operated.counterpart.calls.at(-1)?.id).toBe('after');
  const [{ cluster = '', group = '', ledgerTable = '' } = {}] = consumersOf(operated.cloud.deployed.outputs);
  const dynamodb = new DynamoDBClient(clientConfig(operated.cloud.endpoint));
  const pk = { S: `decisions#${cluster}#${group}#operated-commanded#0` };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: ledgerTable, Key: { pk } }));
  expect(Item?.['entries']?.L).toMatchObject([
    { M: { change: { S: 'skip 1' }, who: { S: 'ann' }, why: { S: 'a test order' } } },
  ]);
});

test('refuses to change a partition that an invocation holds, and takes it away when forced', async () => {
  answers.set('slow', 204);
  const { promise, resolve } = Promise.withResolvers<number>();
  // The partition must not wait for this record when an expectation fails: the other tests use it, too.
  onTestFinished(() => {
    resolve(204);
    operated.counterpart.answer(({ id }) => answers.get(id) ?? 204);
  });
  operated.counterpart.answer(({ id }) => (id === 'slow' ? promise : (answers.get(id) ?? 204)));
  await produce(1, 'slow');
  await expect.poll(() => operated.counterpart.calls.at(-1)?.id, { timeout: 180_000 }).toBe('slow');

  const held = await operated.lockstep('reset', 'operated-commanded-1', '--why', 'to see', '--yes');
  expect(held.code).toBe(1);
  expect(held.stderr).toContain('PARTITION_HELD: an invocation holds operated-commanded-1 until');
  const forced = await operated.lockstep('reset', 'operated-commanded-1', '--why', 'to see', '--force', '--yes');
  expect(forced.code, forced.stderr).toBe(0);

  resolve(204);
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
});

test('pause waits for what is in flight, nothing is read meanwhile, and resume goes on', async () => {
  onTestFailed(async () => void (await operated.lockstep('resume', '--timeout', '60')));
  expect(await operated.ask('pause', '--timeout', '60')).toEqual({ consumer: 'Commanded', paused: true });
  const calls = operated.counterpart.calls.length;
  await produce(2, 'during-the-pause');
  const [paused] = await operated.ask('status');
  expect(paused).toMatchObject({ mapping: 'Disabled' });
  expect(partitionOf([paused], 2)).toMatchObject({ lag: 1 });
  expect(operated.counterpart.calls).toHaveLength(calls);

  expect(await operated.ask('resume', '--timeout', '60')).toEqual({ consumer: 'Commanded', resumed: true });
  await expect.poll(() => operated.counterpart.calls.at(-1)?.id, { timeout: 180_000 }).toBe('during-the-pause');
});

test('letters are listed, shown and purged; the operator function knows the same and redrives the rest', async () => {
  onTestFailed(async () => void (await operated.lockstep('purge', '--yes')));
  for (const id of ['p-1', 'q-1', 'q-2']) answers.set(id, 422);
  await produce(2, 'p-1', 'q-1', 'q-2');
  await expect.poll(async () => (await operated.letters()).length, { timeout: 180_000, interval: 500 }).toBe(3);

  const { letters, total } = await operated.ask('dead-letters', 'list', '--error', 'CAUSE_q');
  expect(total).toBe(2);
  expect(letters).toMatchObject([{ errorName: 'CAUSE_q', errorMessage: 'order q-1 is refused' }, { key: 'k-2' }]);
  expect(await operated.ask('dead-letters', 'show', letters[0].id)).toMatchObject({ value: 'q-1', id: letters[0].id });

  const asked = await operated.lockstep('purge', '--error', 'CAUSE_p');
  expect(asked.code).toBe(1);
  expect(asked.stderr).toContain('1 dead letter of Operated-Commanded-Commanded-dead-letters is closed for good.');
  expect(await operated.ask('purge', '--error', 'CAUSE_p', '--yes')).toMatchObject({ done: 1, left: 0 });

  const [consumer] = consumersOf(operated.cloud.deployed.outputs);
  if (consumer === undefined) throw new Error('no consumer');
  const lambda = new LambdaClient(clientConfig(operated.cloud.endpoint));
  // A transaction is read some milliseconds after it is committed.
  await expect
    .poll(() => invokeOperator(lambda, consumer, { type: 'groups', filter: {} }), { timeout: 180_000 })
    .toMatchObject({ letters: 2, groups: [{ errorName: 'CAUSE_q', count: 2 }] });
  answers.set('q-1', 204).set('q-2', 204);
  const before = operated.counterpart.calls.length;
  const order = { type: 'redrive', filter: { errorName: 'CAUSE_q' }, dryRun: false, by: 'ann' } as const;
  expect(await invokeOperator(lambda, consumer, order)).toMatchObject({ selected: 2, done: 2, left: 0 });
  // Both were refused before: only what is called from now on shows that they were handled again.
  await expect
    .poll(() => operated.counterpart.calls.slice(before).map(({ id }) => id), { timeout: 180_000 })
    .toEqual(['q-1', 'q-2']);
  await expect
    .poll(() => operated.ask('dead-letters', 'list'), { timeout: 180_000 })
    .toEqual({ letters: [], total: 0, foreign: 0 });
  await expect(invokeOperator(lambda, consumer, { ...order, by: undefined } as never)).rejects.toThrow(
    'OPERATOR_REQUEST_INVALID',
  );
});

test('a record that died becomes a test: red, green once the handler is mended; then its redrive is handled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-reproduce-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const broken = "if (value === 'r-2') throw new NonRetryableError('order r-2 is refused');";
  await writeFiles(folder, { ...PROJECT, 'lambda/orders.mjs': handlerText(broken, 'text') });
  answers.set('r-2', 422);
  await produce(2, 'r-1', 'r-2');
  await expect
    .poll(async () => (await operated.ask('dead-letters', 'list')).letters, { timeout: 180_000, interval: 500 })
    .toMatchObject([{ errorMessage: 'order r-2 is refused' }]);
  const [{ id, origin }] = (await operated.ask('dead-letters', 'list')).letters;
  const where = ['--out', join(folder, 'test/reproduced'), '--handler', join(folder, 'lambda/orders.mjs')];

  const written = await operated.ask('reproduce', id, '--before', '1', '--runner', 'node:test', ...where);

  expect(written).toMatchObject({ records: 2, masked: [] });
  const red = await runTests(folder);
  expect(red.code).toBe(1);
  expect(red.stdout).toContain(`${origin} is handled`);
  expect(red.stdout).toContain('order r-2 is refused');
  await writeFiles(folder, { 'lambda/orders.mjs': handlerText('void value;', 'text') });
  expect(await runTests(folder)).toMatchObject({ code: 0 });

  answers.set('r-2', 204);
  const before = operated.counterpart.calls.length;
  expect(await operated.ask('redrive', '--yes')).toMatchObject({ done: 1, left: 0 });
  await expect
    .poll(() => operated.counterpart.calls.slice(before).map(({ id: called }) => called), { timeout: 180_000 })
    .toEqual(['r-2']);
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  await expect.poll(() => operated.ask('dead-letters', 'list'), { timeout: 180_000 }).toMatchObject({ total: 0 });
});

test('replay runs a span again, in order', async () => {
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  const before = operated.counterpart.calls.length;
  answers.clear();

  expect(await operated.ask('replay', 'operated-commanded-0@0-2', '--dry-run')).toEqual({ records: 3, dryRun: true });
  expect(await operated.ask('replay', 'operated-commanded-0@0-2', '--yes')).toEqual({ records: 3, dryRun: false });

  await expect.poll(() => operated.counterpart.calls.length - before, { timeout: 180_000 }).toBe(3);
  expect(operated.counterpart.calls.slice(before).map(({ id }) => id)).toEqual(['before', 'stuck', 'after']);
});

/** Changes the ledger's item of a partition by hand. */
async function changeByHand(partition: number, expression: string, values: Record<string, AttributeValue>) {
  const [{ cluster = '', group = '', ledgerTable = '' } = {}] = consumersOf(operated.cloud.deployed.outputs);
  const dynamodb = new DynamoDBClient(clientConfig(operated.cloud.endpoint));
  const pk = { S: `partition#${cluster}#${group}#operated-commanded#${partition}` };
  const changed = new UpdateItemCommand({
    TableName: ledgerTable,
    Key: { pk },
    UpdateExpression: expression,
    ExpressionAttributeValues: values,
    ReturnValues: 'ALL_NEW',
  });
  return (await dynamodb.send(changed)).Attributes ?? {};
}

/** Offsets on a partition are handed out up to here. */
async function endOf(partition: number): Promise<number> {
  const ends = await operated.admin.fetchTopicOffsets('operated-commanded');
  return Number(ends.find((one) => one.partition === partition)?.high);
}

test.each([
  ['--skip', 1, []],
  ['--run', 2, ['again-1', 'again-2']],
])(
  'a halted replay is decided with reset %s',
  async (verdict, partition, handled) => {
    await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
    const calls = operated.counterpart.calls.length;
    const name = `operated-commanded-${partition}`;
    onTestFailed(
      async () => void (await operated.lockstep('reset', name, '--skip', '--why', 'a test failed', '--force', '--yes')),
    );
    expect((await operated.lockstep('reset', name, verdict, '--why', 'to see', '--yes')).code).toBe(1);
    // As after a reset of the group's offsets: the next two records are from before the ledger's memory.
    const floor = String((await endOf(partition)) + 2);
    await changeByHand(partition, 'SET floor = :floor', { ':floor': { N: floor } });
    await produce(partition, 'again-1', 'again-2');
    await expect
      .poll(async () => partitionOf(await operated.ask('status'), partition), { timeout: 180_000, interval: 500 })
      .toMatchObject({ state: 'replay halted', lag: 2 });

    await expect
      .poll(
        async () => (await operated.lockstep('reset', name, verdict, '--why', 'offsets were set back', '--yes')).code,
        {
          timeout: 180_000,
        },
      )
      .toBe(0);

    await produce(partition, `after${verdict}`);
    await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
    expect(operated.counterpart.calls.slice(calls).map(({ id }) => id)).toEqual([...handled, `after${verdict}`]);
  },
  200_000,
);

test('reset --breaker counts dead letters in a row from 0 again; the ledger tells of the consumer’s own limit', async () => {
  answers.set('b-1', 422);
  await produce(0, 'b-1');
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  const before = await changeByHand(0, 'SET seen = :seen', { ':seen': { BOOL: true } });
  expect(Number(before['consecutiveDeadLetters']?.N)).toBeGreaterThan(0);
  expect(before['deadLetterLimit']).toEqual({ S: 'none' });

  expect(await operated.ask('reset', 'operated-commanded-0', '--breaker', '--why', 'mended', '--yes')).toMatchObject({
    changed: true,
    text: expect.stringMatching(/^counts consecutive dead letters from 0 again, instead of from [1-9]/),
  });

  const again = await operated.lockstep('reset', 'operated-commanded-0', '--breaker', '--why', 'mended', '--yes');
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('the flood breaker is closed');
});

test('a partition whose item cannot be read is named, and reset repairs it without lowering its epoch', async () => {
  onTestFailed(
    async () => void (await operated.lockstep('reset', 'operated-commanded-1', '--why', 'a test failed', '--yes')),
  );
  const broken = await changeByHand(1, 'SET v = :v, unheardOf = :v', { ':v': { N: '99' } });
  await produce(1, 'behind-the-broken-item');
  const status = await operated.lockstep('status', '--fail-if-stuck');
  expect(status.code).toBe(1);
  expect(status.stdout).toMatch(/✖ +1 +\d+ +\d+ +unreadable/);
  const skipped = await operated.lockstep('reset', 'operated-commanded-1', '--skip', '--why', 'to see', '--yes');
  expect(skipped.code).toBe(1);
  expect(skipped.stderr).toContain('LEDGER_ITEM_UNREADABLE');

  const { text } = await operated.ask('reset', 'operated-commanded-1', '--why', 'rolled back', '--yes');
  expect(text).toContain('its format version is 99');

  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  expect(operated.counterpart.calls.at(-1)?.id).toBe('behind-the-broken-item');
  expect(partitionOf(await operated.ask('status'), 1)).toMatchObject({ state: 'ok' });
  const after = await changeByHand(1, 'SET seen = :seen', { ':seen': { BOOL: true } });
  expect(Number(after['epoch']?.N)).toBeGreaterThan(Number(broken['epoch']?.N));
  expect(after['unheardOf']).toBeUndefined();
});

test('audit finds nothing but missing alarms in a consumer that is well, and each of six planted faults, with the place', async () => {
  answers.set('audited', 422);
  await produce(2, 'audited');
  await expect.poll(() => operated.lag(), { timeout: 180_000, interval: 500 }).toBe(0);
  const clean = JSON.parse((await operated.lockstep('audit', '--json')).stdout);
  // The suite's stack has no alarms.
  const findings = [{ code: 'alarms-off', says: expect.stringContaining('there is no alarm blocked-record') }];
  expect(clean.consumers).toEqual([expect.objectContaining({ consumer: 'Commanded', findings })]);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-audit-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const since = join(folder, 'audit.json');
  await writeFile(since, JSON.stringify(clean));
  const lambda = new LambdaClient(clientConfig(operated.cloud.endpoint));
  const UUID = operated.consumer.mapping.uuid;

  await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false, MaximumRetryAttempts: 5 }));
  await expect.poll(async () => (await operated.ask('status'))[0].mapping, { timeout: 180_000 }).toBe('Disabled');
  const last = await Promise.all([0, 1, 2].map(async (partition) => (await endOf(partition)) - 1));
  const [first = 0, second = 0, third = 0] = last;
  const upTo = (offset: number) => ({ S: encodeRanges([{ from: 0, to: offset }]) });
  const only = (offset: number) => ({ S: encodeRanges([{ from: offset, to: offset }]) });
  const idle = { ':long': { N: '0' } };
  const plant = async () => {
    await changeByHand(0, 'SET pending = :p, leaseUntil = :long', { ':p': only(first), ...idle });
    const lost = { ':s': upTo(second - 1), ':p': only(second), ...idle };
    await changeByHand(1, 'SET settled = :s, pending = :p, leaseUntil = :long', lost);
    await changeByHand(2, 'SET settled = :s, epoch = :long', { ':s': upTo(third - 1), ...idle });
  };

  const found = async () => {
    // Again, since the relay may just have mended it.
    await plant();
    const { code, stdout } = await operated.lockstep('audit', '--since', since, '--json');
    expect(code).toBe(1);
    const all: readonly { code: string; place?: string }[] = JSON.parse(stdout).consumers[0].findings;
    return all.map((one) => [one.code, one.place]);
  };
  await expect.poll(found, { timeout: 180_000 }).toEqual(
    expect.arrayContaining([
      ['stands-still', undefined],
      ['mapping-differs', undefined],
      ['settled-and-pending', 'operated-commanded-0'],
      ['not-redelivered', 'operated-commanded-1'],
      ['letter-without-mark', `operated-commanded-2@${third}`],
      ['went-back', 'operated-commanded-2'],
    ]),
  );
});

test('a wrong command line ends with 2', async () => {
  expect((await operated.lockstep('statsu')).code).toBe(2);
  expect((await operated.lockstep('status', '--consumer', 'Nobody')).code).toBe(2);
});
