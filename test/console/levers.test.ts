import { expect, test } from 'vitest';
import { readOrder, tell } from '../../console/levers.ts';
import { deployedConsumer, type FakeCloud, fakeTarget } from './fake-target.ts';

function aCloud(): FakeCloud {
  return {
    consumers: [{ ...deployedConsumer('Orders'), stack: 'Prod' }],
    mapping: { State: 'Disabled' },
    asked: [],
    operate: async (_, request) => {
      if (request.type === 'topics') return { partitions: [{ partition: 0, start: 0, end: 0 }], letters: 0 };
      if (request.type === 'replay') return { records: 3 };
      return {
        selected: 1,
        done: 0,
        left: 1,
        refused: { maxRedrives: 0, doubtful: 2, elsewhere: 0, expired: 0 },
        stopped: [],
        otherGroups: [],
      };
    },
  };
}

const told = (order: object, cloud = aCloud()) => tell(fakeTarget(cloud), {}, readOrder(order));

test.each([
  [{ lever: 'redrive' }, 'npx lockstep redrive --stack Prod --consumer Orders', undefined],
  [
    { lever: 'redrive', id: 'c/g/orders-0@1/2', includeDoubtful: true },
    'npx lockstep redrive --id c/g/orders-0@1/2 --include-doubtful --stack Prod --consumer Orders',
    undefined,
  ],
  [
    { lever: 'purge', fingerprint: "it's" },
    "npx lockstep purge --fingerprint 'it'\\''s' --stack Prod --consumer Orders",
    'Orders',
  ],
  [{ lever: 'pause' }, 'npx lockstep pause --stack Prod --consumer Orders', undefined],
  [{ lever: 'resume' }, 'npx lockstep resume --stack Prod --consumer Orders', undefined],
  [
    { lever: 'replay', range: 'orders-0@1-3' },
    'npx lockstep replay orders-0@1-3 --stack Prod --consumer Orders',
    undefined,
  ],
])('%j is told with its equal command, and changes nothing', async (order, command, typed) => {
  const cloud = aCloud();
  const found = await told({ ...order, consumer: 'Orders' }, cloud);
  expect(found).toMatchObject({ command, needsWhy: false });
  expect(found.typed).toBe(typed);
  expect(found.plan.says.length).toBeGreaterThan(0);
});

test('what a redrive leaves out is told before it runs', async () => {
  const { plan } = await told({ lever: 'redrive', consumer: 'Orders' });
  expect(plan.says[0]).toBe(
    'No filter is set, so this concerns all open dead letters: 1 record of orders-dead-letters returns to orders; not: 2 may have been handled already (--include-doubtful).',
  );
});

test('a replay counts what it would copy, then copies it', async () => {
  const { plan } = await told({ lever: 'replay', consumer: 'Orders', range: 'orders-0@1-3' });
  expect(plan.says).toEqual([
    '3 records of orders-0, offsets 1 to 3, are copied to the end of the partition, for Orders.',
  ]);
  expect(await plan.run({})).toEqual({ records: 3, dryRun: false });
});

test('a pause waits until the mapping is disabled and no batch is in flight', async () => {
  const { plan } = await told({ lever: 'pause', consumer: 'Orders' });
  const answer = await plan.run({});
  expect(answer).toEqual({ consumer: 'Orders', paused: true });
  expect([plan.isDone(answer), plan.text(answer)]).toEqual([
    true,
    'Orders is paused: no batch is in flight. `lockstep resume` starts it again.',
  ]);
});

test('a pause that is stopped says that a batch may be in flight', async () => {
  const cloud = aCloud();
  cloud.mapping = { State: 'Disabling' };
  const { plan } = await told({ lever: 'pause', consumer: 'Orders' }, cloud);
  const answer = await plan.run({ signal: AbortSignal.abort() });
  expect([plan.isDone(answer), answer]).toEqual([false, { consumer: 'Orders', paused: false }]);
});

test.each([
  [{ lever: 'skip', record: 'orders-0@1' }, 'OPERATION_REFUSED: skip of orders-0: the ledger does not know orders-0'],
  [{ lever: 'skip', record: 'other-0@1' }, 'none of the named consumers reads topic other'],
  [{ lever: 'skip', record: 'orders-0@01' }, 'expected a record such as orders-3@1042'],
  [{ lever: 'reset', partition: 'orders-0', as: 'skip' }, 'the ledger does not know orders-0'],
  [{ lever: 'resume', partition: 'orders-0' }, 'the ledger does not know orders-0'],
  [{ lever: 'drop', sequence: 'q' }, 'no such key is parked'],
  [{ lever: 'release' }, 'expected --key, --fingerprint, --sequence or --all'],
  [{ lever: 'replay', range: 'orders-0@9-1' }, 'expected a range'],
  [{ lever: 'redrive', consumer: 'Nobody' }, 'there is no consumer Nobody'],
])('%j is refused as its command is', async (order, why) => {
  await expect(told({ consumer: 'Orders', ...order })).rejects.toThrow(why);
});

test.each([
  [null],
  [{}],
  [{ lever: 'exec', consumer: 'Orders' }],
  [{ lever: 'redrive' }],
  [{ lever: 'redrive', consumer: 'Orders', rate: 5 }],
  [{ lever: 'drop', consumer: 'Orders', all: true }],
  [{ lever: 'reset', consumer: 'Orders', partition: 'orders-0', as: 'everything' }],
  [{ lever: 'redrive', consumer: 'Orders', id: ['a'] }],
])('%j is no order', (order) => {
  expect(() => readOrder(order)).toThrow('OPERATOR_REQUEST_INVALID: expected an order of the console');
});
