import { expect, onTestFinished, test } from 'vitest';
import { FRESH_PROGRESS } from '../../../shared/decide/progress.ts';
import type { LedgerStore, WriteAnswer, WriteRequest } from '../../../shared/ports/ledger-store.ts';
import { StoreError } from '../../../shared/ports/store-error.ts';
import { Invocation } from '../../../shared/runtime/invocation.ts';
import { Lease } from '../../../shared/runtime/lease.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';

const PLACE = { cluster: 'c', group: 'billing', topic: 'orders', partition: 0 };
const RECORD = { offset: 10, timestamp: 1_000, valueHash: 'hash' };
const EFFECT = { Put: { TableName: 'accounts', Item: {} } };
const TRANSACTION = {
  settlings: [{ record: RECORD, from: 10, firstOfBatch: RECORD, outcome: 'handled' as const }],
  effects: [EFFECT],
  completions: [],
};

const conflict = () => new StoreError('cancelled: TransactionConflict', { transient: true, notApplied: true });
const noAnswer = () => new StoreError('TimeoutError', { transient: true });

/** What becomes of the n-th write on its way; `lands` makes it take effect. */
type OnWay = (lands: () => Promise<WriteAnswer>, request: WriteRequest) => Promise<WriteAnswer>;

/** A lease that has claimed 10…11, and whose first writes go as told. */
async function opened(onWay: readonly OnWay[], refuses: () => boolean = () => true) {
  const clock = new VirtualClock();
  const counts: Record<string, number> = {};
  const silent = () => undefined;
  const fake = fakeLedgerStore({
    refuseEffect: () => (refuses() ? { code: 'ConditionalCheckFailed', text: 'too little' } : undefined),
  });
  let writes = 0;
  const ledger: LedgerStore = {
    ...fake,
    write: (request) => {
      const way = onWay[writes++];
      return way === undefined ? fake.write(request) : way(() => fake.write(request), request);
    },
  };
  const leaseUntil = clock.now() + 15_000;
  const offsets = [{ from: 10, to: 11 }];
  const { item } = await ledger.claim({ partition: PLACE, owner: 'me', now: clock.now(), leaseUntil, offsets });
  const invocation = new Invocation('request', 60_000, clock);
  const lease = new Lease(
    {
      partition: PLACE,
      owner: 'me',
      item,
      progress: FRESH_PROGRESS,
      toRedeliver: offsets,
      batchStart: 10,
      leaseUntil,
      invocation,
    },
    {
      ledger,
      clock,
      entropy: { random: () => 0.5, id: () => 'id' },
      telemetry: {
        log: { debug: silent, info: silent, warn: silent, error: silent },
        count: (metric, value = 1) => {
          counts[metric] = (counts[metric] ?? 0) + value;
        },
      },
      keys: { complete: async () => [] },
    },
    { leaseMs: 15_000, checkpointMs: 200 },
  );
  onTestFinished(() => {
    lease.close();
    invocation.end();
  });
  return { clock, lease, fake, counts, peek: () => fake.peek(PLACE) };
}

test('a refusal after conflicts counts at once: a cancelled transaction was certainly not applied', async () => {
  const cancel: OnWay = async () => {
    throw conflict();
  };
  const { clock, lease, counts, peek } = await opened([cancel, cancel]);

  const written = await clock.runUntilSettled(lease.commit(TRANSACTION));

  expect(written).toMatchObject({ type: 'cancelled', reasons: [{ index: 0, code: 'ConditionalCheckFailed' }] });
  expect(lease.isOver).toBe(false);
  expect(counts).toEqual({});
  // Nothing but the claim has changed the item.
  expect(peek()).toMatchObject({ rev: 1, owner: 'me' });
});

test('a refusal after a try without an answer counts once that try can no longer land', async () => {
  let late = () => Promise.resolve<WriteAnswer>({ type: 'written' });
  let holds = false;
  const lost: OnWay = async (lands) => {
    late = lands;
    throw noAnswer();
  };
  const { clock, lease, fake, peek } = await opened([lost], () => !holds);

  const written = await clock.runUntilSettled(lease.commit(TRANSACTION));
  // Its condition would hold by now, but its revision is taken.
  holds = true;
  const landed = await late();

  expect(written.type).toBe('cancelled');
  expect(lease.isOver).toBe(false);
  expect(landed.type).toBe('refused');
  expect(fake.effects).toEqual([]);
  expect(peek()).toMatchObject({ rev: 2, progress: { settled: [] } });
});

test('a transaction that lands after its repetition was refused is written, and not tried again', async () => {
  let holds = false;
  let late = () => Promise.resolve<WriteAnswer>({ type: 'written' });
  const { clock, lease, fake, peek } = await opened(
    [
      async (lands) => {
        late = lands;
        throw noAnswer();
      },
      (lands) => lands(),
      async (lands) => {
        holds = true;
        await late();
        return lands();
      },
    ],
    () => !holds,
  );

  const written = await clock.runUntilSettled(lease.commit(TRANSACTION));

  expect(written.type).toBe('written');
  expect(fake.effects).toEqual([EFFECT]);
  expect(lease.progress.settled).toEqual([{ from: 10, to: 10 }]);
  expect(peek()).toMatchObject({ rev: 2, progress: { settled: [{ from: 10, to: 10 }] } });
});

test('a plain write whose own answer was lost is distinguished from the transaction that it overtakes', async () => {
  const { clock, lease, peek } = await opened([
    async () => {
      throw noAnswer();
    },
    (lands) => lands(),
    async (lands) => {
      await lands();
      throw noAnswer();
    },
  ]);

  const written = await clock.runUntilSettled(lease.commit(TRANSACTION));

  expect(written.type).toBe('cancelled');
  expect(lease.isOver).toBe(false);
  expect(peek()).toMatchObject({ rev: 2, progress: { settled: [] } });
});

test('a partition that was taken over meanwhile is lost, whatever became of the transaction', async () => {
  const { clock, lease, fake, counts } = await opened([
    async () => {
      throw noAnswer();
    },
    (lands) => lands(),
    async (lands) => {
      const item = fake.peek(PLACE);
      if (item !== undefined) fake.place(PLACE, { ...item, epoch: 9, rev: 30, owner: 'other' });
      return lands();
    },
  ]);

  const written = await clock.runUntilSettled(lease.commit(TRANSACTION));

  expect(written).toEqual({ type: 'lost' });
  expect(counts).toEqual({ FencedCommits: 1 });
});
