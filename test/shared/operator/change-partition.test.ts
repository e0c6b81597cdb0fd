import { describe, expect, test } from 'vitest';
import type { OperatorChange } from '../../../shared/decide/operator.ts';
import { changePartition, decisionAction, previewChange } from '../../../shared/operator/change-partition.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';
import { blockedRecordAt, progressOf } from '../../fixtures/progress.ts';

const PLACE = { cluster: 'cluster-1', group: 'billing', topic: 'orders', partition: 3 };
const START = Date.UTC(2026, 0, 1);

function aLedger(owner?: string) {
  const ledger = fakeLedgerStore();
  const progress = progressOf({
    blockedRecords: new Map([[10, blockedRecordAt(10, { attempts: 2 })]]),
    pending: [{ from: 10, to: 10 }],
  });
  ledger.place(PLACE, {
    epoch: 7,
    rev: 20,
    leaseUntil: START + 10_000,
    claims: owner === undefined ? [] : [{ owner, offsets: [{ from: 10, to: 11 }] }],
    progress,
    ...(owner !== undefined && { owner }),
  });
  let ids = 0;
  const ports = {
    ledger,
    clock: new VirtualClock(START),
    entropy: { random: () => 0.5, id: () => `id-${ids++}` },
    record: decisionAction.bind(null, 'the-table'),
  };
  const decide = (change: OperatorChange, force = false) =>
    changePartition({ partition: PLACE, change, force, who: 'ann', why: 'bad order' }, ports);
  return { ledger, ports, decide };
}

test('takes the next epoch, changes, gives the partition back, and keeps who and why in the same write', async () => {
  const { ledger, decide } = aLedger();

  expect(await decide({ type: 'skip', offset: 10 })).toMatch(/^settles offset 10/);

  const item = ledger.peek(PLACE);
  expect({ epoch: item?.epoch, owner: item?.owner }).toEqual({ epoch: 8, owner: undefined });
  expect(item?.progress.settled).toEqual([{ from: 10, to: 10 }]);
  expect(ledger.effects).toMatchObject([
    {
      Update: {
        Key: { pk: { S: 'decisions#cluster-1#billing#orders#3' } },
        ExpressionAttributeValues: {
          ':entry': { L: [{ M: { who: { S: 'ann' }, why: { S: 'bad order' }, change: { S: 'skip 10' } } }] },
        },
      },
    },
  ]);
});

test('refuses while an invocation holds the partition, and changes nothing', async () => {
  const { ledger, decide } = aLedger('somebody');
  const before = ledger.peek(PLACE);

  await expect(decide({ type: 'skip', offset: 10 })).rejects.toThrow(
    /^PARTITION_HELD: an invocation holds orders-3 until 2026/,
  );

  expect(ledger.peek(PLACE)).toBe(before);
});

test('forced, takes the partition away: its holder is fenced, and what it claimed stays pending', async () => {
  const { ledger, decide } = aLedger('somebody');

  await decide({ type: 'skip', offset: 10 }, true);

  expect(ledger.peek(PLACE)?.progress.pending).toEqual([{ from: 11, to: 11 }]);
  const late = await ledger.write({
    partition: PLACE,
    epoch: 7,
    owner: 'somebody',
    rev: 20,
    progress: progressOf({}),
    leaseUntil: START,
    claimed: [],
    release: true,
  });
  expect(late.type).toBe('refused');
});

test('forced, takes the partition away from a holder that renews its lease at that moment', async () => {
  const { ledger, ports } = aLedger('somebody');
  const renewing: typeof ledger = {
    ...ledger,
    read: async (partition) => {
      const item = await ledger.read(partition);
      if (item !== undefined) ledger.place(PLACE, { ...item, rev: item.rev + 1, leaseUntil: item.leaseUntil + 5_000 });
      return item;
    },
  };

  await changePartition(
    { partition: PLACE, change: { type: 'skip', offset: 10 }, force: true, who: 'ann', why: 'bad order' },
    { ...ports, ledger: renewing },
  );

  expect(ledger.peek(PLACE)?.progress.settled).toEqual([{ from: 10, to: 10 }]);
});

test('what is refused leaves the progress as it was, and the partition free', async () => {
  const { ledger, decide } = aLedger();

  await expect(decide({ type: 'skip', offset: 99 })).rejects.toThrow('OPERATION_REFUSED');

  expect(ledger.peek(PLACE)?.owner).toBeUndefined();
  expect(ledger.peek(PLACE)?.progress.blockedRecords.size).toBe(1);
  expect(ledger.effects).toEqual([]);
});

test('a preview says what would happen and who is in the way', async () => {
  const { ports } = aLedger('somebody');

  expect(await previewChange({ partition: PLACE, change: { type: 'skip', offset: 10 } }, ports)).toMatchObject({
    heldUntil: START + 10_000,
    decided: { type: 'change' },
  });
});

describe('of a recreated topic, which a dead invocation’s record gave away,', () => {
  const TOLD = 'the topic was recreated, as the record at offset 2 shows, and its progress starts from nothing';
  const recreated = () => {
    const opened = aLedger();
    const first = { offset: 2, timestamp: 2_000, valueHash: 'new' };
    opened.ledger.place(PLACE, {
      epoch: 7,
      rev: 20,
      owner: 'dead',
      leaseUntil: START - 1,
      claims: [{ owner: 'dead', offsets: [{ from: 2, to: 8 }], first }],
      progress: progressOf({ settled: [{ from: 0, to: 5 }], newestTimestamp: 1_000 }),
    });
    return opened;
  };

  test('a change says so', async () => {
    const { ledger, decide } = recreated();

    expect(await decide({ type: 'skip', offset: 2 })).toBe(
      `settles offset 2 (never tried) without handling it and without a dead letter; ${TOLD}`,
    );
    expect(ledger.peek(PLACE)?.progress.settled).toEqual([{ from: 2, to: 2 }]);
  });

  test('a refusal says so too, and a preview', async () => {
    const { ports, decide } = recreated();
    const change = { type: 'closeBreaker' } as const;
    const why = `no consecutive dead letters are counted: the flood breaker is closed; ${TOLD}`;

    expect((await previewChange({ partition: PLACE, change }, ports)).decided).toEqual({ type: 'refused', why });
    await expect(decide(change)).rejects.toThrow(why);
  });
});
