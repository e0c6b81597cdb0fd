import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBlockedRecord } from '../../shared/adapters/dynamodb/ledger-blocked-record.ts';
import { ledgerKey, parkedKeyOf, parkedKeysKey } from '../../shared/record/item-identifier.ts';
import { encodeRanges } from '../../shared/record/offset-ranges.ts';
import { blockedRecordAt } from '../fixtures/progress.ts';
import { alarms } from '../infra/alarm-rules.ts';
import { synthAlarms } from '../infra/synth.ts';
import { textOf } from '../infra/template-text.ts';
import { startFakeAws } from './fake-aws.ts';

let aws: Awaited<ReturnType<typeof startFakeAws>>;

beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.stop());

const PLACE = { cluster: 'c', group: 'group-Orders', topic: 'orders', partition: 0 };
const HOUR_AGO = Date.now() - 3_600_000;

/** The item of a parked key of `orders-0`: numbers up to `settled` need no more, and those up to `tail` wait. */
function parkedItem(key: string, { settled = 0, tail = 3, ...more }: { settled?: number; tail?: number } = {}) {
  return {
    pk: { S: ledgerKey({ ...PLACE, parkedKey: parkedKeyOf(Buffer.from(key)) }) },
    v: { N: '2' },
    epoch: { N: '3' },
    rev: { N: '4' },
    leaseUntil: { N: '0' },
    settled: { S: encodeRanges(settled === 0 ? [] : [{ from: 1, to: settled }]) },
    sequence: { S: `sequence-of-${key}` },
    tail: { N: String(tail) },
    since: { N: String(HOUR_AGO) },
    behind: { S: 'orders-0@7' },
    fingerprint: { S: `f-${key}` },
    key: { S: Buffer.from(key).toString('base64') },
    ...more,
  };
}

const PARTITION = { v: { N: '3' }, epoch: { N: '9' }, rev: { N: '1' }, leaseUntil: { N: '0' }, settled: { S: '' } };

/** A ledger in which these keys of `orders-0` are parked. */
function ledgerOf(...parked: ReturnType<typeof parkedItem>[]) {
  return {
    [ledgerKey(PLACE)]: PARTITION,
    [parkedKeysKey(PLACE)]: { keys: { SS: parked.map(({ pk }) => pk.S.split('#').at(-1)) } },
    ...Object.fromEntries(parked.map((item) => [item.pk.S, item])),
  };
}

/** What the operator function answers: `orders-0` is the only partition, and these letters are on the dead-letter topic. */
function operator(ordinals: readonly object[], ...released: readonly object[]) {
  const answers = released.values();
  return ({ type }: { readonly type: string }) => {
    if (type === 'topics') return { partitions: [{ partition: 0, start: 0, end: 9 }], letters: 0, openLetters: 0 };
    return type === 'parkedLetters' ? { ordinals } : answers.next().value;
  };
}

test('parked shows the oldest key first, with what it waits behind', async () => {
  aws.answer({
    operator: operator([]),
    items: ledgerOf({ ...parkedItem('new'), since: { N: String(Date.now()) } }, parkedItem('old', { settled: 1 })),
  });

  const { code, stdout } = await aws.lockstep('parked');

  expect(code).toBe(0);
  const [head, first, second] = stdout.split('\n').map((line) => line.split(/ +/));
  expect(head).toEqual(['KEY', 'PARTITION', 'WAITING', 'SINCE', 'BEHIND', 'TRIES', 'ERROR']);
  expect(first?.join(' ')).toBe('old orders-0 2 60 min orders-0@7 0 f-old');
  expect(second?.slice(0, 3)).toEqual(['new', 'orders-0', '3']);
  expect(JSON.parse((await aws.lockstep('parked', '--json')).stdout)).toMatchObject([
    { key: 'old', waiting: 2, next: 2, sequence: 'sequence-of-old' },
    { key: 'new', waiting: 3, next: 1 },
  ]);
});

test('the commands that the alarm of a parked key names can be run as they are written', async () => {
  const [alarm] = alarms(synthAlarms({ operations: true, retry: { onExhausted: 'park' } })).filter(
    ({ AlarmName }) => AlarmName === 'Shop-Orders-parked-key',
  );
  const named = textOf(alarm?.AlarmDescription).match(/npx lockstep [^`]*/g) ?? [];
  expect(named).toEqual([
    'npx lockstep parked --stack Shop --consumer Orders',
    'npx lockstep release --stack Shop --consumer Orders --all',
  ]);
  aws.answer({ operator: operator([], { end: 'freed', settled: 3, gone: 0 }), items: ledgerOf(parkedItem('a')) });
  const [parked, release] = named.map((command) => command.split(' ').slice(2));
  expect((await aws.lockstepAlone(...(parked ?? []))).code).toBe(0);
  // Nobody is there to confirm.
  expect((await aws.lockstepAlone(...(release ?? []), '--yes')).code).toBe(0);
});

test('where nothing is parked, parked says so, and release and drop refuse', async () => {
  aws.answer({ operator: operator([]), items: {} });

  expect((await aws.lockstep('parked')).stdout).toBe('No key is parked.\n');
  for (const command of [['release'], ['drop', '--why', 'x']]) {
    const { code, stderr } = await aws.lockstep(...command, '--key', 'a', '--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('OPERATION_REFUSED: key a is not parked')]);
  }
});

test('an item of a parked key that cannot be read is named', async () => {
  aws.answer({ operator: operator([]), items: ledgerOf({ ...parkedItem('a'), tail: { N: 'x' } }) });

  const { code, stderr } = await aws.lockstep('parked');

  expect(code).toBe(1);
  expect(stderr).toContain('LEDGER_ITEM_UNREADABLE');
  expect(stderr).toContain('tail');
});

test.each([['release'], ['drop', '--why', 'x']])(
  '%s without a choice of keys is a wrong command line',
  async (...command) => {
    aws.answer({ operator: operator([]), items: ledgerOf(parkedItem('a')) });

    const { code, stderr } = await aws.lockstep(...command, '--yes');

    expect([code, stderr]).toEqual([2, expect.stringContaining('expected --key, --fingerprint, --sequence or --all')]);
  },
);

test('release and drop say what they will do; without a terminal, and with --dry-run, they do nothing', async () => {
  aws.answer({ operator: operator([]), items: ledgerOf(parkedItem('a'), parkedItem('b')) });
  for (const command of [['release'], ['drop', '--why', 'x']]) {
    const asked = await aws.lockstep(...command, '--fingerprint', 'f-a');
    expect(asked.stderr).toMatch(/^key a of orders-0: 3 records wait behind orders-0@7 since 60 min/);
    expect(asked.stderr).not.toContain('key b');
    expect(asked.stderr).toContain(`OPERATION_REFUSED: ${command[0]} was not confirmed`);
    expect(asked.code).toBe(1);

    const dry = await aws.lockstep(...command, '--all', '--dry-run');
    expect([dry.code, dry.stdout]).toEqual([0, 'Nothing was changed.\n']);
  }
  expect(new Set(aws.asked.map(({ type }) => type))).toEqual(new Set(['topics']));
});

test.each([
  [{ end: 'freed', settled: 3, gone: 0 }, 0, 'a: 3 records settled; the key is free.'],
  [{ end: 'freed', settled: 3, gone: 1 }, 0, '1 record of them gone from Kafka before they were parked'],
  [{ end: 'halted', settled: 1, gone: 0, next: 2, why: 'it failed' }, 1, 'number 2 stays parked: it failed'],
  [{ end: 'missing', settled: 0, gone: 0, next: 1 }, 1, 'If it is lost: lockstep drop --missing.'],
  [{ end: 'tooLarge', settled: 0, gone: 0, next: 1 }, 1, 'only lockstep drop goes on'],
  [{ end: 'busy', settled: 0, gone: 0 }, 1, 'run the same command again'],
  [{ end: 'notParked', settled: 0, gone: 0 }, 1, 'nothing ran'],
  [{ end: 'lost', settled: 0, gone: 0 }, 1, 'the function did not say how it ended'],
])('release tells of %j and ends with %i', async (answer, exit, said) => {
  aws.answer({ operator: operator([], answer), items: ledgerOf(parkedItem('a')) });

  const { code, stdout } = await aws.lockstep('release', '--key', 'a', '--yes');

  expect(stdout).toContain(said);
  expect(code).toBe(exit);
  expect(aws.asked.at(-1)).toEqual({
    type: 'release',
    partition: 0,
    parkedKey: parkedKeyOf(Buffer.from('a')),
    sequence: 'sequence-of-a',
    by: 'arn:aws:sts::111122223333:assumed-role/Admin/ann',
  });
});

test('release goes on where the operator function ran out of time, as long as something is settled', async () => {
  const more = { end: 'timeIsUp', settled: 2, gone: 0 };
  aws.answer({
    operator: operator([], more, more, { end: 'freed', settled: 1, gone: 0 }),
    items: ledgerOf(parkedItem('a')),
  });

  const { code, stdout } = await aws.lockstep('release', '--key', 'a', '--yes');

  expect([code, stdout]).toEqual([0, 'a: 5 records settled; the key is free.\n']);
  expect(aws.asked.filter(({ type }) => type === 'release')).toHaveLength(3);
});

test('drop --missing gives up on what has no letter, up to the next one that has', async () => {
  aws.answer({ operator: operator([{ from: 3, to: 3 }]), items: ledgerOf(parkedItem('a')) });

  const { code, stderr } = await aws.lockstep('drop', '--key', 'a', '--missing', '--why', 'x', '--dry-run');

  expect(stderr).toContain('gives up on 2 records, numbers 1 to 2.');
  expect(code).toBe(0);
});

/** The record of the first number is blocked in its partition: its letter was not written yet. */
const isDue = {
  [ledgerKey(PLACE)]: {
    ...PARTITION,
    blockedRecords: {
      M: { '7': encodeBlockedRecord(blockedRecordAt(7, { parked: { sequence: 'sequence-of-a', ordinal: 1 } })) },
    },
  },
};

test.each([
  ['the next letter is there', [{ from: 1, to: 1 }], {}, 0, 'the letter of number 1 is there: release the key'],
  ['the letter is still due', [], isDue, 0, 'If the topic was created again since, that record never comes'],
  ['a letter may still be in the fallback queue', [], {}, 2, 'the fallback queue is not empty'],
] as const)('drop --missing refuses where %s', async (_, ordinals, more, queued, said) => {
  aws.answer({ operator: operator(ordinals), items: { ...ledgerOf(parkedItem('a')), ...more }, queued });

  const { code, stderr } = await aws.lockstep('drop', '--key', 'a', '--missing', '--why', 'x', '--yes');

  expect([code, stderr]).toEqual([1, expect.stringContaining(said)]);
});
