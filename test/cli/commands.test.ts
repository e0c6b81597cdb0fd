import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogFields } from '../../shared/ports/telemetry.ts';
import { reportClaim } from '../../shared/runtime/report-claim.ts';
import { alarms } from '../infra/alarm-rules.ts';
import { only, synthAlarms, synthConsumer } from '../infra/synth.ts';
import { textOf } from '../infra/template-text.ts';
import { startFakeAws } from './fake-aws.ts';

let aws: Awaited<ReturnType<typeof startFakeAws>>;

beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.stop());

/** The source as Kafka sees it, so many records behind. */
const behind = (lag: number) => () => ({
  partitions: [{ partition: 0, start: 0, end: 100 + lag, committed: 100 }],
  letters: 0,
  openLetters: 0,
});

/** A ledger item that was let go of at `leaseUntil`. */
const claimed = (leaseUntil: number, more: object = {}) => ({
  v: { N: '2' },
  epoch: { N: '3' },
  rev: { N: '4' },
  leaseUntil: { N: String(leaseUntil) },
  settled: { S: '' },
  ...more,
});

test.each([
  [
    'a mapping that is disabled',
    { mapping: { State: 'Disabled', StateTransitionReason: 'USER_INITIATED' } },
    'Disabled (USER_INITIATED)',
  ],
  ['one that is being deleted', { mapping: { State: 'Deleting' } }, 'the mapping is Deleting'],
  ['one of which nothing is known', { mapping: {} }, 'the mapping is unknown'],
  [
    'one whose polls fail',
    { mapping: { State: 'Enabled', LastProcessingResult: 'PROBLEM: Connection error.' } },
    'PROBLEM: Connection error.',
  ],
  ['records that nobody claims', { operator: behind(5), item: claimed(Date.now() - 61_000) }, 'not read'],
  ['records of a partition that was never claimed', { operator: behind(5) }, 'never claimed'],
  ['a pause of years', { operator: behind(5), item: claimed(0, { pausedUntil: { N: '99999999999999' } }) }, 'paused'],
])('status finds %s', async (_, answers, said) => {
  aws.answer(answers);
  const { code, stdout } = await aws.lockstep('status', '--fail-if-stuck');
  expect(stdout).toMatch(/^Orders {2}✖/);
  expect(stdout).toContain(said);
  expect(code).toBe(1);
  expect((await aws.lockstep('status')).code).toBe(0);
});

test.each([
  ['a mapping that reads', { mapping: { State: 'Enabled', LastProcessingResult: 'No records processed' } }],
  ['records that were claimed a moment ago', { operator: behind(5), item: claimed(Date.now() - 30_000) }],
  [
    'a pause of seconds',
    { operator: behind(5), item: claimed(0, { pausedUntil: { N: String(Date.now() + 30_000) } }) },
  ],
  [
    'records from before a mapping that begins at the end',
    {
      mapping: { State: 'Enabled', StartingPosition: 'LATEST' },
      operator: () => ({ partitions: [{ partition: 0, start: 0, end: 9_000 }], letters: 0 }),
    },
  ],
])('status finds nothing wrong with %s', async (_, answers) => {
  aws.answer(answers);
  const { code, stdout } = await aws.lockstep('status', '--fail-if-stuck');
  expect(stdout).toMatch(/^Orders {2}● nothing stuck/);
  expect(code).toBe(0);
});

const report = {
  selected: 3,
  done: 0,
  left: 3,
  refused: { maxRedrives: 0, doubtful: 0, expired: 0, elsewhere: 0 },
  stopped: [],
};

test.each(['redrive', 'purge'])('%s says what it will do, and without a terminal it does nothing', async (name) => {
  aws.answer({ operator: ({ dryRun }) => (dryRun === true ? report : { ...report, done: 3, left: 0 }) });
  const asked = await aws.lockstep(name);
  expect(asked.code).toBe(1);
  expect(asked.stderr).toMatch(
    /^No filter is set, so this concerns all open dead letters: 3 (records|dead letters) of orders-dead-letters /,
  );
  expect(asked.stderr).toContain(`OPERATION_REFUSED: ${name} was not confirmed`);
  expect(aws.asked.map(({ dryRun }) => dryRun)).toEqual([true]);

  const done = await aws.lockstep(name, '--yes', '--json');
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ done: 3, left: 0 });
});

test('the name of who changes something comes from the credentials, whatever a request says', async () => {
  aws.answer({ operator: () => ({ ...report, done: 3, left: 0 }) });
  await aws.lockstep('redrive', '--yes', '--json');
  expect(aws.asked.map(({ by }) => by)).toEqual([
    'arn:aws:sts::111122223333:assumed-role/Admin/ann',
    'arn:aws:sts::111122223333:assumed-role/Admin/ann',
  ]);
});

test.each([
  [
    ['skip', 'orders-2@0', '--why', 'x', '--yes', '--consumer', 'Payments'],
    'reads topic orders: Payments reads payments',
  ],
  [
    ['reset', 'nonsense-2', '--why', 'x', '--yes'],
    'reads topic nonsense: Orders reads orders, Payments reads payments',
  ],
  [['replay', 'payments-0@1-2', '--yes', '--consumer', 'Orders'], 'reads topic payments: Orders reads orders'],
  [['resume', '--partition', 'nonsense-0', '--why', 'x', '--yes'], 'reads topic nonsense'],
])('%j is refused: what is named is not what would be changed', async (args, said) => {
  aws.answer({ consumers: { Orders: 'orders', Payments: 'payments' } });
  const { code, stderr } = await aws.lockstep(...args);
  expect(stderr).toContain(said);
  expect(code).toBe(1);
});

test.each([
  [['redrive', '--fingerprint', '']],
  [['redrive', '--offsets', '1-2']],
  [['purge', '--partition', '0', '--offsets', '9-2']],
  [['purge', '--since', 'May']],
  [['redrive', '--rate', '0']],
  [['redrive', '--max-redrives', '-1']],
  [['dead-letters', 'list', '--limit', 'all']],
  [['lag', '--watch', 'abc']],
  [['lag', '--watch', '--times', 'abc']],
  [['lag', '--times', '3']],
  [['pause', '--timeout', 'long']],
  [['skip', 'orders-0@01', '--why', 'x']],
  [['skip', 'orders-0@1', '--why', ' ']],
  [['skip', 'orders-0@1']],
  [['status', '--consumer', 'Nobody']],
  [['statsu']],
])('%j is a wrong command line', async (args) => {
  aws.answer({});
  const { code, stderr } = await aws.lockstep(...args);
  expect(stderr).not.toBe('');
  expect(code).toBe(2);
  expect(aws.asked).toEqual([]);
});

const run = promisify(execFile);
const ended = (error: { code: number; stderr: string }) => error;

test('without a cloud the command line is wrong; a cloud that does not answer is a failure', async () => {
  const nowhere = {
    env: { PATH: process.env['PATH'], AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' },
  };
  expect(await run(process.execPath, ['cli/main.ts', 'status'], nowhere).catch(ended)).toMatchObject({ code: 2 });
  expect(await run(process.execPath, ['cli/main.ts', 'status', '--stack', 'S'], nowhere).catch(ended)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('CLOUD_UNKNOWN: stack S could not be read'),
  });
});

test('--version is that of the package', async () => {
  expect((await run(process.execPath, ['bin/lockstep.js', '--version'])).stdout).toBe('0.1.0\n');
});

test('on an older Node one line says which version is needed', async () => {
  const older = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.0'})";
  const failed = await run(process.execPath, ['--import', older, 'bin/lockstep.js', 'status']).catch(ended);
  expect(failed).toMatchObject({
    code: 1,
    stderr: 'lockstep needs Node.js 22.18 or later; this is Node.js 20.19.0.\n',
  });
});

test('a reader that has enough ends the command without a word', async () => {
  const piped = await run('sh', ['-c', `"${process.execPath}" cli/main.ts --help | true`]);
  expect(piped.stderr).toBe('');
});

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b1m\u202egnp\u200b\r\norders-0@8  forged row';
const letter = {
  id: `id${HOSTILE}`,
  origin: `orders-0@7${HOSTILE}`,
  key: `k${HOSTILE}`,
  errorName: `E${HOSTILE}`,
  errorMessage: `m${HOSTILE}`,
  fingerprint: `f${HOSTILE}`,
  stage: HOSTILE,
  disposition: HOSTILE,
  attempts: 1,
  interruptions: 0,
  deadLetteredAt: HOSTILE,
  redriveCount: 0,
  doubtful: false,
  valueBytes: 1,
  value: HOSTILE,
  timestamp: HOSTILE,
  headers: [
    { name: `n${HOSTILE}`, value: HOSTILE },
    { name: 'x-error-stack', value: `Error: a\n    at b${HOSTILE}` },
  ],
};
const group = {
  fingerprint: HOSTILE,
  errorName: HOSTILE,
  stage: HOSTILE,
  exampleMessage: HOSTILE,
  exampleId: HOSTILE,
  count: 1,
  firstSeen: HOSTILE,
  lastSeen: HOSTILE,
};

test.each([
  [['dead-letters', 'list'], 3],
  [['dead-letters', 'foreign'], 3],
  [['dead-letters', 'foreign', '--json'], 1],
  [['dead-letters', 'list', '--json'], 1],
  [['dead-letters', 'groups'], 4],
  [['dead-letters', 'groups', '--json'], 1],
  [['dead-letters', 'show', 'x'], 9],
  [['dead-letters', 'show', 'x', '--json'], 1],
  [['status'], 6],
  [['status', '--json'], 1],
])('%j shows nothing raw that a letter, a mapping or a function says', async (args, lines) => {
  aws.answer({
    mapping: { State: HOSTILE, StateTransitionReason: HOSTILE, LastProcessingResult: HOSTILE },
    operator: ({ type }) =>
      ({
        letters: { letters: [letter], total: 1, foreign: 2 },
        groups: { groups: [group], causes: 1, letters: 1, read: 1, foreign: 1 },
        letter: { letter },
        foreign: {
          records: [{ position: HOSTILE, claims: HOSTILE, id: HOSTILE, timestamp: HOSTILE, bytes: 1 }],
          total: 1,
        },
        topics: { partitions: [], letters: 0 },
      })[type],
  });
  const { stdout, stderr } = await aws.lockstep(...args);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for.
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]/);
  expect(stdout.split('\n').filter((line) => line.startsWith('orders-0@8'))).toEqual([]);
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(lines);
});

test('what a function throws is shown on one line', async () => {
  aws.answer({ operator: () => ({ errorMessage: HOSTILE }) });
  const { stderr, code } = await aws.lockstep('dead-letters', 'groups');
  expect(code).toBe(1);
  expect(stderr.split('\n').filter((line) => line.startsWith('orders-0@8'))).toEqual([]);
});

test('redrive names the other groups of the topic: who settles the records unread, and who gets them again', async () => {
  aws.answer({
    consumers: { Orders: 'orders', Shipments: 'orders' },
    operator: () => ({ ...report, otherGroups: ['audit', 'group-Shipments'] }),
  });
  const { stderr } = await aws.lockstep('redrive', '--dry-run', '--consumer', 'Orders');
  expect(stderr).toContain(
    'Other consumers of this stack that read orders settle these records without handling them: group-Shipments.',
  );
  expect(stderr).toContain('Other groups that read orders get these records again: audit.');
});

test('a letter that stopped itself is named, and the command says that not all went well', async () => {
  const stopped = [
    { id: `c/g/orders-0@7/1${HOSTILE}`, origin: 'orders-0@7', why: 'REDRIVE_FAILED: MESSAGE_TOO_LARGE' },
  ];
  aws.answer({
    operator: ({ dryRun }) => (dryRun === true ? report : { ...report, done: 2, left: 0, stopped }),
  });
  const { code, stdout } = await aws.lockstep('redrive', '--yes', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ done: 2, stopped });
  expect(code).toBe(1);
});

/** What each command that decides about a halted replay does, as its dry run says. */
async function decisions(commands: readonly unknown[]): Promise<string[]> {
  const said: string[] = [];
  for (const command of commands) {
    aws.answer({ item: claimed(0, { replayRefused: { S: '0+1' }, floor: { N: '50' } }) });
    const [npx, lockstep, ...args] = String(command).replace('"..."', 'why').replace('<partition>', '0').split(' ');
    expect([npx, lockstep]).toEqual(['npx', 'lockstep']);
    const { code, stderr } = await aws.lockstepAlone(...args, '--dry-run');
    expect(code).toBe(0);
    said.push(stderr);
  }
  return said;
}

const DECISIONS = [
  expect.stringContaining(
    'orders-0 of Orders, group group-Orders: takes records below offset 50 that the ledger has forgotten',
  ),
  expect.stringContaining('orders-0 of Orders, group group-Orders: runs 0–1 again'),
  expect.stringContaining('orders-0 of Orders, group group-Orders: forgets'),
];

describe('a halted replay', () => {
  /** What the log says where the construct has said `target`. */
  function logged(unclear?: object) {
    const lines: LogFields[] = [];
    const none = () => {};
    const log = {
      debug: none,
      info: none,
      warn: none,
      error: (_: string, fields: LogFields = {}) => lines.push(fields),
    };
    const task = {
      ports: { telemetry: { log, count: none }, commandTarget: targetOfConstruct() },
      delivered: { topic: 'orders', partition: 0, records: [] },
    };
    const verdict = { type: 'replayHalted', ...(unclear && { unclear }) };
    reportClaim(task as never, { verdict, progress: {} } as never);
    const { takeAsDuplicates, runAgain, forgetPartition } = lines[0] ?? {};
    return [takeAsDuplicates, runAgain, forgetPartition];
  }

  /** Of a consumer Orders in the stack Shop. */
  function targetOfConstruct(): string {
    const { Variables } = only(synthConsumer(), 'AWS::Lambda::Function')['Environment'] as {
      readonly Variables: Readonly<Record<string, string>>;
    };
    return Variables['LOCKSTEP_COMMAND_TARGET'] ?? '';
  }

  test('is decided by the commands that the log names, as they stand there', async () => {
    const commands = logged();
    expect(commands[0]).toBe('npx lockstep reset orders-0 --stack Shop --consumer Orders --skip --why "..."');
    expect(await decisions(commands)).toEqual(DECISIONS);
  });

  test('of a record that may be another one than the known one, too', async () => {
    expect(await decisions(logged({ offset: 7, timestamp: 1, valueHash: 'x' }))).toEqual(DECISIONS);
  });

  test('is decided by the commands that `lockstep status` shows, which are those of the log', async () => {
    aws.answer({
      operator: () => ({ partitions: [{ partition: 0, start: 0, end: 9, committed: 0 }], letters: 0 }),
      item: claimed(0, { replayRefused: { S: '0+1' }, floor: { N: '50' } }),
    });
    const { stdout } = await aws.lockstepAlone('status', '--stack', 'Shop');
    const shown = stdout.match(/npx lockstep reset .*/g) ?? [];
    expect(shown).toEqual(logged());
    expect(await decisions(shown)).toEqual(DECISIONS);
  });
});

test('each command that an alarm names can be run as it is written', async () => {
  const onFailureDestination = { retryAttempts: 100 };
  const all = [
    synthAlarms({ operations: true, onFailureDestination }),
    synthAlarms({ operations: false, onFailureDestination }),
  ].flatMap(alarms);
  const named = all.flatMap(({ AlarmDescription }) =>
    [...textOf(AlarmDescription).matchAll(/`(npx lockstep [^`]*)`/g)].map(([, command = '']) => command),
  );
  const verbs = [...new Set(named.map((command) => command.split(' ')[2]))].sort();
  expect(verbs).toEqual(['blocked', 'dead-letters', 'pause', 'status']);
  for (const command of named) {
    expect(command).toContain('--stack Shop --consumer Orders');
    aws.answer({
      item: claimed(0, { replayRefused: { S: '0+1' }, floor: { N: '50' }, deadLettered: { N: '100' } }),
      mapping: { State: 'Disabled' },
      operator: ({ type }) =>
        type === 'groups' || type === 'letters'
          ? { groups: [], letters: type === 'groups' ? 0 : [], causes: 0, read: 0, total: 0, foreign: 0 }
          : { partitions: [], letters: 0, openLetters: 0 },
    });
    const { code, stderr } = await aws.lockstepAlone(...command.split(' ').slice(2));
    expect(`${command}: ${code} ${stderr}`).toMatch(/: 0 /);
  }
});

test.each([
  ['grows', 12_500, '✖'],
  ['stays', 12_000, '●'],
  ['falls', 11_000, '●'],
])('status looks twice at a large lag: one that %s', async (_, later, mark) => {
  let looks = 0;
  aws.answer({
    operator: () => ({
      partitions: [{ partition: 0, start: 0, end: 100 + (looks++ === 0 ? 12_000 : later), committed: 100 }],
      letters: 0,
      openLetters: 0,
    }),
    item: claimed(Date.now() - 1_000),
  });
  const { stdout, code } = await aws.lockstep('status', '--fail-if-stuck', '--growth-over', '0.1');
  expect(stdout.startsWith(`Orders  ${mark}`)).toBe(true);
  expect(stdout.includes('lag grows')).toBe(mark === '✖');
  expect(code).toBe(mark === '✖' ? 1 : 0);
});
