import { expect, test } from 'vitest';
import { sweep } from '../../../shared/relay/sweep.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';
import { aRelay, PLACE, RECREATED, RECREATION_LINE, START } from './a-relay.ts';

const BLOCKED = new Map([[4, blockedRecordAt(4, { firstFailedAt: START - 90_000 })]]);

function aSwept(committed: number) {
  const relay = aRelay();
  for (let offset = 0; offset < 20; offset++) relay.log.put(PLACE, offset, {});
  relay.log.commit('billing', PLACE, committed);
  return relay;
}

test('abandons what is pending below the committed offset and unclaimed for long, and nothing else', async () => {
  const relay = aSwept(6);
  relay.place({
    settled: [{ from: 0, to: 3 }],
    pending: [{ from: 4, to: 8 }],
    missingRecord: { offset: 4, since: 1, laterBatches: 0 },
  });

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(relay.fallback.entries).toEqual([{ type: 'abandoned', partition: PLACE, offsets: [{ from: 4, to: 5 }] }]);
  const item = relay.ledger.peek(PLACE);
  expect(item?.progress.pending).toEqual([{ from: 6, to: 8 }]);
  expect(item?.progress.missingRecord).toBeUndefined();
  expect(item?.owner).toBeUndefined();
  expect(relay.counts.get('RecordsNotRedelivered')).toBe(1);
});

test('leaves a partition alone that was claimed a moment ago', async () => {
  const relay = aSwept(6);
  relay.place({ pending: [{ from: 4, to: 4 }] }, { leaseUntil: START - 299_000 });

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(relay.fallback.entries).toEqual([]);
  expect(relay.ledger.peek(PLACE)?.epoch).toBe(7);
});

test('abandons nothing that the queue does not accept', async () => {
  const relay = aSwept(6);
  relay.place({ pending: [{ from: 4, to: 4 }] });
  const refusing = { ...relay.ports, fallback: { send: () => Promise.reject(new Error('no')) } };

  await expect(relay.invoke((invocation) => sweep(refusing, relay.policy, invocation))).rejects.toThrow('no');

  expect(relay.ledger.peek(PLACE)?.progress.pending).toEqual([{ from: 4, to: 4 }]);
});

test('counts a check of the ledger only when it is done', async () => {
  const relay = aSwept(6);
  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));
  expect(relay.counts.get('LedgerChecks')).toBe(1);

  relay.place({ pending: [{ from: 4, to: 4 }] });
  const refusing = { ...relay.ports, fallback: { send: () => Promise.reject(new Error('no')) } };
  await expect(relay.invoke((invocation) => sweep(refusing, relay.policy, invocation))).rejects.toThrow('no');
  expect(relay.counts.get('LedgerChecks')).toBe(1);
});

test.each([
  ['offsets came back that the ledger has forgotten', { replayRefused: [{ from: 0, to: 3 }] }, 1],
  ['a record is blocked by the flood breaker', { consecutiveDeadLetters: 100, blockedRecords: BLOCKED }, 1],
  ['a record only fails', { consecutiveDeadLetters: 99, blockedRecords: BLOCKED }, undefined],
  ['the flood breaker has nothing to block', { consecutiveDeadLetters: 100 }, undefined],
])('tells whether a partition waits for an operator: %s', async (_, progress, halted) => {
  const relay = aSwept(0);
  relay.place(progress);
  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));
  expect(relay.counts.get('PartitionsHalted')).toBe(halted);
});

test('says how long a blocked record has blocked though no batch comes, and that nothing blocks', async () => {
  const relay = aSwept(0);
  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));
  expect(relay.counts.get('BlockedRecordAgeMs')).toBe(0);

  relay.place({ blockedRecords: new Map([[4, blockedRecordAt(4, { firstFailedAt: START - 90_000 })]]) });
  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));
  expect(relay.counts.get('BlockedRecordAgeMs')).toBe(90_000);
});

test('what a dead invocation claimed counts as pending', async () => {
  const relay = aSwept(6);
  relay.ledger.place(PLACE, {
    epoch: 7,
    rev: 20,
    owner: 'dead',
    leaseUntil: START - 400_000,
    claims: [{ owner: 'dead', offsets: [{ from: 2, to: 3 }] }],
    progress: {
      settled: [],
      pending: [],
      firstRecords: [],
      blockedRecords: new Map(),
      replayRefused: [],
      consecutiveDeadLetters: 0,
    },
  });

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(relay.fallback.entries).toMatchObject([{ offsets: [{ from: 2, to: 3 }] }]);
  expect(relay.ledger.peek(PLACE)?.progress).toMatchObject({ pending: [], abandoned: [{ from: 2, to: 3 }] });
});

test('says that a topic was recreated where a dead invocation’s record gives it away', async () => {
  const relay = aSwept(8);
  relay.ledger.place(PLACE, RECREATED);

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(relay.warnings).toEqual([RECREATION_LINE]);
  expect(relay.counts.get('TopicsRecreated')).toBe(1);
  expect(relay.ledger.peek(PLACE)?.progress.settled).toEqual([]);
});
