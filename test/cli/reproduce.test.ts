import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { deadLetter } from '../../shared/decide/dead-letter.ts';
import { operate } from '../../shared/operator/operate.ts';
import type { OperatorRequest } from '../../shared/operator/requests.ts';
import { fakeLedgerStore } from '../../shared/testing/fake-ledger-store.ts';
import { FAKE_SECRET, fakeStackSecret } from '../../shared/testing/fake-stack-secret.ts';
import { fakeTopicLog } from '../../shared/testing/fake-topic-log.ts';
import { fakeTransactions } from '../../shared/testing/fake-transactions.ts';
import { VirtualClock } from '../../shared/testing/virtual-clock.ts';
import { blockedRecordAt } from '../fixtures/progress.ts';
import { handlerText, PROJECT, runTests, writeFiles } from '../fixtures/reproducing-project.ts';
import { startFakeAws } from './fake-aws.ts';

const PARTITION = { topic: 'orders', partition: 0 };

let aws: Awaited<ReturnType<typeof startFakeAws>>;
let folder: string;

beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.stop());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep-reproduce-'));
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  onTestFinished(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true });
  });
});

const BROKEN = handlerText(
  "if (value.amount === 0) throw new NonRetryableError('free orders are not known', { code: 'ORDER_FREE' });",
);

/** The consumer's topics in memory, and the operator function over them. */
function operated() {
  const log = fakeTopicLog();
  const ports = {
    log,
    transactions: fakeTransactions(log).open(),
    clock: new VirtualClock(),
    topic: 'orders',
    deadLetterTopic: 'orders-dead-letters',
    group: 'group-Orders',
    cluster: 'uuid-1',
    parkedKeys: fakeLedgerStore().parkedKeys,
    invoke: async () => Promise.reject(new Error('nothing is released')),
    secret: fakeStackSecret,
  };
  aws.answer({ operator: (request) => operate(request as OperatorRequest, ports, { giveUpAt: 0 }) });
  return log;
}

test('a record dies, its test is red; the handler is mended, its test is green', async () => {
  await writeFiles(folder, { ...PROJECT, 'lambda/orders.mjs': BROKEN });
  const log = operated();
  const value = Buffer.from('{ "id": 1, "amount": 0, "card": "4711" }');
  const headers = [{ name: 'x-tenant', value: Buffer.from([0xff, 1]) }];
  log.put(PARTITION, 5, { key: Buffer.from('c-1'), value: Buffer.from('{"amount":1}'), timestamp: 1_000 });
  log.put(PARTITION, 6, { key: Buffer.from('c-2'), value: Buffer.from('{"amount":2}'), timestamp: 2_000 });
  log.put(PARTITION, 7, { key: Buffer.from('c-1'), value, headers, timestamp: 3_000 });

  const { code, stdout, stderr } = await aws.lockstep('reproduce', 'orders-0@7', '--before', '3');

  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: [
      'wrote test/reproduced/orders-0-at-7.records.mjs',
      'wrote test/reproduced/orders-0-at-7.test.mjs',
      '2 records, bytes exact: they may hold personal data (--mask)',
      'run   node --test test/reproduced/orders-0-at-7.test.mjs',
      '',
    ].join('\n'),
    stderr: 'Only 1 record before it was found of the same key.\n',
  });
  const { records } = await import(pathToFileURL(join(folder, 'test/reproduced/orders-0-at-7.records.mjs')).href);
  expect(records).toEqual([
    {
      topic: 'orders',
      partition: 0,
      offset: 5,
      timestamp: 1_000,
      timestampType: 'CREATE_TIME',
      key: 'Yy0x',
      value: 'eyJhbW91bnQiOjF9',
      headers: [],
    },
    {
      topic: 'orders',
      partition: 0,
      offset: 7,
      timestamp: 3_000,
      timestampType: 'CREATE_TIME',
      key: 'Yy0x',
      value: value.toString('base64'),
      headers: [{ 'x-tenant': [-1, 1] }],
    },
  ]);
  const red = await runTests(folder);
  expect(red.code).toBe(1);
  expect(red.stdout).toContain('free orders are not known');
  await writeFiles(folder, { 'lambda/orders.mjs': handlerText('void value.amount;') });
  expect(await runTests(folder)).toMatchObject({ code: 0 });
});

test('by its dead letter, with what must not be written masked', async () => {
  await writeFiles(folder, { ...PROJECT, 'lambda/orders.mjs': BROKEN });
  const log = operated();
  const record = {
    key: Buffer.from('c-1'),
    value: Buffer.from('{"amount":0,"card":{"number":"4711"}}'),
    headers: [],
    timestamp: 3_000,
  };
  const { id, ...letter } = deadLetter(
    { ...PARTITION, offset: 7, ...record },
    {
      cluster: 'c',
      group: 'group-Orders',
      blocked: blockedRecordAt(7, {
        attempts: 1,
        fingerprint: 'print',
        error: { name: 'ORDER_FREE', text: 'free orders are not known', stage: 'handler' },
      }),
      stack: '',
      maxAttempts: 5,
      now: 4_000,
      requestId: 'r',
      names: [],
      maxBytes: 1_000_000,
      secret: FAKE_SECRET,
    },
  );
  log.put({ topic: 'orders-dead-letters', partition: 0 }, 0, letter);

  const masks = ['--mask', '$.card.number', '--mask', 'key'];
  const { code, stdout, stderr } = await aws.lockstep('reproduce', id, ...masks, '--json');

  expect(stderr).toContain('The topic does not hold the record any more: its bytes are those of its dead letter');
  expect({ code, answer: JSON.parse(stdout) }).toEqual({
    code: 0,
    answer: {
      files: ['test/reproduced/orders-0-at-7.records.mjs', 'test/reproduced/orders-0-at-7.test.mjs'],
      records: 1,
      masked: ['$.card.number', 'key'],
    },
  });
  const text = await readFile(join(folder, 'test/reproduced/orders-0-at-7.records.mjs'), 'utf8');
  expect(text).toContain('// Masked: $.card.number, key. All else is exact, but a value with a mask is written anew.');
  expect(Buffer.from(/"value": "(.*)"/.exec(text)?.[1] ?? '', 'base64').toString()).toBe(
    '{"amount":0,"card":{"number":"xxx1"}}',
  );
  expect(text).not.toContain('Yy0x');
  expect(await readFile(join(folder, 'test/reproduced/orders-0-at-7.test.mjs'), 'utf8')).toContain(
    `// The dead letter is ${id}, its error ORDER_FREE, its fingerprint print.`,
  );
  expect(await runTests(folder)).toMatchObject({ code: 1 });
});

test.each<[string, Readonly<Record<string, string>>, readonly string[], string]>([
  ['no project', {}, [], 'there is no package.json here or above, so nothing was written'],
  ['a package.json that is none', { 'package.json': '{' }, [], 'package.json cannot be read, so nothing was written'],
  [
    'no test runner',
    { 'package.json': '{}', 'a.mjs': BROKEN },
    [],
    'names no test runner (vitest, jest, or a script with `node --test`), so nothing was written',
  ],
  [
    'no handler',
    { 'package.json': '{}' },
    ['--runner', 'vitest'],
    'no file exports a `handler` of lockstepConsumer, so nothing was written',
  ],
  [
    'several handlers',
    { ...PROJECT, 'a.mjs': BROKEN, 'b.mjs': BROKEN },
    [],
    "several files export a handler: a.mjs, b.mjs, so nothing was written. Name the consumer's with --handler",
  ],
  ['a handler that is not there', PROJECT, ['--handler', 'c.mjs'], '--handler names c.mjs, and there is no such file'],
  [
    'a record that is gone',
    { ...PROJECT, 'a.mjs': BROKEN },
    ['orders-0@1'],
    'orders-0 does not hold orders-0@1 any more: its retention took it',
  ],
  [
    'a record that is not there',
    { ...PROJECT, 'a.mjs': BROKEN },
    ['orders-0@99'],
    'orders-0 has no record at orders-0@99: it was compacted away',
  ],
  [
    'a dead letter that is gone',
    { ...PROJECT, 'a.mjs': BROKEN },
    ['c/g/orders-0@7/1'],
    'orders-dead-letters holds no dead letter c/g/orders-0@7/1. Its retention may have taken it',
  ],
  [
    'another topic',
    { ...PROJECT, 'a.mjs': BROKEN },
    ['payments-0@7'],
    'none of the named consumers reads topic payments',
  ],
  [
    'a mask that names nothing',
    { ...PROJECT, 'a.mjs': BROKEN },
    ['--mask', '$.crad'],
    '--mask $.crad names nothing in orders-0@7, so nothing was written',
  ],
  [
    'a file that is there already',
    { ...PROJECT, 'a.mjs': BROKEN, 'test/reproduced/orders-0-at-7.test.mjs': 'mine' },
    [],
    'orders-0-at-7.test.mjs exists already, so nothing was written',
  ],
])('%s is told, and nothing is written', async (_, project, args, says) => {
  await writeFiles(folder, project);
  const log = operated();
  log.put(PARTITION, 7, { value: Buffer.from('{"card":1}') });
  log.expire(PARTITION, 5);
  const named = args.some((one) => one.includes('@')) ? args : ['orders-0@7', ...args];

  const { code, stderr } = await aws.lockstep('reproduce', ...named);

  expect(stderr).toContain(says);
  expect(code).toBeGreaterThan(0);
  const written = await readdir(join(folder, 'test/reproduced')).catch(() => []);
  expect(written).toEqual(
    Object.keys(project).flatMap((path) => (path.startsWith('test/') ? [path.split('/').at(-1)] : [])),
  );
});

test('a test in TypeScript runs as it is', async () => {
  await writeFiles(folder, { ...PROJECT, 'tsconfig.json': '{}', 'lambda/orders.ts': BROKEN });
  operated().put(PARTITION, 7, { value: Buffer.from('{"amount":0}') });

  await aws.lockstep('reproduce', 'orders-0@7');

  const red = await runTests(folder);
  expect(red.code).toBe(1);
  expect(red.stdout).toContain('free orders are not known');
});

test.each<[string, string, readonly string[]]>([
  [
    'vitest',
    '{ "devDependencies": { "vitest": "4" } }',
    [
      "import { expect, test } from 'vitest';",
      "expect([outcomes['orders-0@7'], why]).toEqual(['handled', undefined]);",
    ],
  ],
  ['jest', '{ "devDependencies": { "jest": "30" } }', ["import { expect, test } from '@jest/globals';"]],
  [
    'node:test',
    '{ "scripts": { "test": "node --experimental-strip-types --test" } }',
    ["import { test } from 'node:test';", "assert.equal(outcomes['orders-0@7'], 'handled', why);"],
  ],
])(
  'a project with %s gets a test for it, in TypeScript where it has a tsconfig.json',
  async (runner, packageJson, lines) => {
    await writeFiles(folder, { 'package.json': packageJson, 'tsconfig.json': '{}', 'src/a.ts': BROKEN });
    operated().put(PARTITION, 7, { value: Buffer.from('{}') });

    await aws.lockstep('reproduce', 'orders-0@7', '--out', 'test/found');

    const text = await readFile(join(folder, 'test/found/orders-0-at-7.test.ts'), 'utf8');
    for (const line of lines) expect(text).toContain(line);
    expect(text).toContain(runner === 'node:test' ? "from '../../src/a.ts';" : "from '../../src/a';");
  },
);

test('an answer that names a file elsewhere writes nothing', async () => {
  await writeFiles(folder, { ...PROJECT, 'a.mjs': BROKEN });
  const record = { position: '../../a-0@7', timestamp: 1, key: null, value: null, headers: [] };
  aws.answer({ operator: () => ({ records: [record], isComplete: true }) });

  const { code, stderr } = await aws.lockstep('reproduce', 'orders-0@7');

  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('names a topic that cannot be') });
  expect(await readdir(folder)).not.toContain('test');
});

test('what comes from outside stays in its comment and its string', async () => {
  await writeFiles(folder, { ...PROJECT, "it's a.mjs": BROKEN });
  const record = {
    position: 'orders-0@7',
    timestamp: 1,
    key: null,
    value: null,
    headers: [{ name: "'\n`$1", value: '' }],
  };
  const cause = { id: "c\nthrow new Error('no');//", errorName: 'A\u2028B', fingerprint: 'f' };
  aws.answer({ operator: () => ({ records: [record], isComplete: true, cause }) });

  expect((await aws.lockstep('reproduce', 'an-id', '--consumer', 'Orders')).code).toBe(0);

  const text = await readFile(join(folder, 'test/reproduced/orders-0-at-7.test.mjs'), 'utf8');
  expect(text).toContain(
    "// The dead letter is c\\nthrow new Error('no');//, its error A\\u2028B, its fingerprint f.\n",
  );
  const { records } = await import(pathToFileURL(join(folder, 'test/reproduced/orders-0-at-7.records.mjs')).href);
  expect(records[0].headers).toEqual([{ "'\n`$1": [] }]);
});
