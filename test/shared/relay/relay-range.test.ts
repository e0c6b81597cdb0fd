import { expect, test } from 'vitest';
import { shortHash } from '../../../shared/record/value-hash.ts';
import { relayRange } from '../../../shared/relay/relay-range.ts';
import { blockedRecordAt, identity } from '../../fixtures/progress.ts';
import { aRelay, header, PLACE, RECREATED, RECREATION_LINE, START } from './a-relay.ts';

const CAUSE = { code: 'RECORD_ABANDONED', text: 'the mapping did not send the record again' } as const;
const range = (from: number, to: number) => ({ partition: PLACE, offsets: [{ from, to }], cause: CAUSE });

function withRecords(relay: ReturnType<typeof aRelay>, ...offsets: number[]) {
  for (const offset of offsets)
    relay.log.put(PLACE, offset, { key: Buffer.from(`key-${offset}`), value: Buffer.from(`value-${offset}`) });
}

test('gives what is not settled its letter and settles it, and skips what is', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11, 12, 13);
  relay.place({
    settled: [{ from: 11, to: 12 }],
    missingRecord: { offset: 10, since: 1, laterBatches: 3 },
    pending: [{ from: 10, to: 10 }],
  });

  const end = await relay.invoke((invocation) => relayRange(range(10, 13), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 2 });
  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([10, 13]);
  expect(relay.letters.letters[0]?.value?.toString()).toBe('value-10');
  const item = relay.ledger.peek(PLACE);
  expect(item?.progress).toMatchObject({ settled: [{ from: 10, to: 13 }], pending: [], consecutiveDeadLetters: 2 });
  expect(item?.progress.missingRecord).toBeUndefined();
  expect(item?.progress.blockedRecords.size).toBe(0);
  expect({ epoch: item?.epoch, owner: item?.owner, claims: item?.claims }).toEqual({
    epoch: 8,
    owner: undefined,
    claims: [],
  });
});

test('says of what was never tried that it was not, and of what failed how', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  const error = { name: 'CreditDown', text: 'no answer', stage: 'handler' } as const;
  const valueHash = shortHash(Buffer.from('value-11').toString('base64'));
  relay.place({ blockedRecords: new Map([[11, blockedRecordAt(11, { attempts: 3, error, valueHash })]]) });

  await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  const [never, failed] = relay.letters.letters;
  expect([header(never, 'x-stage'), header(never, 'x-error-name')]).toEqual(['unattempted', 'RECORD_ABANDONED']);
  expect([header(failed, 'x-stage'), header(failed, 'x-error-name'), header(failed, 'x-retry-count')]).toEqual([
    'handler',
    'CreditDown',
    '3',
  ]);
});

test('a letter is never sent before the record is marked, and is repeated under the same id', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.faults.push(undefined, 'unanswered');

  const first = relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  await expect(first).rejects.toThrow('DEAD_LETTER_REFUSED');
  expect([...(relay.ledger.peek(PLACE)?.progress.blockedRecords.values() ?? [])]).toMatchObject([
    { offset: 10, exhausted: true },
    { offset: 11, exhausted: true },
  ]);

  await relay.clock.advance(20_000);
  const second = await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  expect(second.type).toBe('done');
  const ids = relay.letters.letters.map(({ id }) => id);
  expect(new Set(ids)).toEqual(new Set(['cluster-1/billing/orders-3@10/1010', 'cluster-1/billing/orders-3@11/1011']));
  expect(relay.ledger.peek(PLACE)?.progress.settled).toEqual([{ from: 10, to: 11 }]);
});

test('what has its letter halts nothing any more', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.place({ settled: [{ from: 20, to: 29 }], floor: 20, replayRefused: [{ from: 10, to: 12 }] });

  await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  expect(relay.ledger.peek(PLACE)?.progress.replayRefused).toEqual([{ from: 12, to: 12 }]);
});

test('waits for a partition that an invocation holds', async () => {
  const relay = aRelay();
  withRecords(relay, 10);
  relay.place({}, { owner: 'somebody', leaseUntil: relay.clock.now() + 15_000 });

  const end = await relay.invoke((invocation) => relayRange(range(10, 10), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'again', letters: 0, why: 'an invocation holds the partition' });
  expect(relay.letters.letters).toEqual([]);
});

test('stops at the flood breaker, and goes on once a record was handled', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11, 12, 13);
  relay.place({ consecutiveDeadLetters: 1, maxConsecutiveDeadLetters: 3 });

  const first = await relay.invoke((invocation) => relayRange(range(10, 13), relay.ports, relay.policy, invocation));

  expect(first).toEqual({ type: 'again', letters: 2, why: 'the flood breaker is open' });
  expect(relay.counts.get('FloodBreakerOpen')).toBe(1);
  relay.place({ ...relay.ledger.peek(PLACE)?.progress, consecutiveDeadLetters: 0 });
  const second = await relay.invoke((invocation) => relayRange(range(10, 13), relay.ports, relay.policy, invocation));
  expect(second).toEqual({ type: 'done', letters: 2 });
  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([10, 11, 12, 13]);
});

test('what retention took gets one letter that says so, and what compaction took gets none', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11, 14);
  relay.log.expire(PLACE, 11);
  relay.place({ pending: [{ from: 8, to: 14 }] });

  await relay.invoke((invocation) => relayRange(range(8, 14), relay.ports, relay.policy, invocation));

  const [expired, ...others] = relay.letters.letters;
  expect(header(expired, 'x-error-name')).toBe('RECORD_EXPIRED');
  expect([header(expired, 'x-original-offset'), header(expired, 'x-original-last-offset')]).toEqual(['8', '10']);
  expect(expired?.value).toBeNull();
  expect(others.map(({ origin }) => origin.offset)).toEqual([11, 14]);
  expect(relay.ledger.peek(PLACE)?.progress).toMatchObject({
    settled: [
      { from: 8, to: 11 },
      { from: 14, to: 14 },
    ],
    pending: [],
  });
});

test('goes through a range slice by slice', async () => {
  const relay = aRelay({ slice: 2 });
  withRecords(relay, 0, 1, 2, 3, 4);

  const end = await relay.invoke((invocation) => relayRange(range(0, 4), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 5 });
});

test('says of what lies below the ledger’s memory that it may have been handled', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.place({ floor: 11 });

  await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  expect(relay.letters.letters.map((letter) => header(letter, 'x-doubtful'))).toEqual(['true', undefined]);
});

test('leaves to an operator’s word what was skipped as before memory', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.place({ floor: 11, skipBelow: 11 });

  await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([11]);
});

test('an operator’s word covers no record that is newer than all that settled: it gets its letter', async () => {
  const relay = aRelay();
  relay.log.put(PLACE, 10, { value: Buffer.from('old'), timestamp: START - 2_000 });
  relay.log.put(PLACE, 11, { value: Buffer.from('of a later topic'), timestamp: START - 500 });
  relay.place({ floor: 100, skipBelow: 100, newestTimestamp: START - 1_000 });

  const end = await relay.invoke((invocation) => relayRange(range(10, 11), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 1 });
  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([11]);
  // Else the other records of the later topic would look old.
  expect(relay.ledger.peek(PLACE)?.progress.newestTimestamp).toBe(START - 1_000);
});

test('an operator’s word covers what Kafka holds no more', async () => {
  const relay = aRelay();
  withRecords(relay, 12);
  relay.log.expire(PLACE, 12);
  relay.place({ floor: 100, skipBelow: 11 });

  const end = await relay.invoke((invocation) => relayRange(range(9, 11), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 1 });
  expect(header(relay.letters.letters[0], 'x-original-offset')).toBe('11');
});

test('says in which record’s handler a process died, and counts it once', async () => {
  const relay = aRelay();
  withRecords(relay, 10);
  relay.place({
    running: identity(10),
    blockedRecords: new Map([[10, blockedRecordAt(10, { attempts: 2, interruptions: 1 })]]),
  });

  await relay.invoke((invocation) => relayRange(range(10, 10), relay.ports, relay.policy, invocation));

  expect(relay.warnings).toEqual([
    ['the process died in the handler of a record', { topic: 'orders', partition: 3, offset: 10, interruptions: 2 }],
  ]);
  expect(relay.counts.get('Interruptions')).toBe(1);
  expect(header(relay.letters.letters[0], 'x-interruption-count')).toBe('2');
});

test('reports a recreated topic that a dead invocation’s record shows, and relays records of the new topic', async () => {
  const relay = aRelay();
  withRecords(relay, 2, 3);
  relay.ledger.place(PLACE, RECREATED);

  const end = await relay.invoke((invocation) => relayRange(range(2, 3), relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 2 });
  expect(relay.warnings).toEqual([RECREATION_LINE]);
  expect(relay.counts.get('TopicsRecreated')).toBe(1);
});

test('an entry of the queue gives dead letters only for offsets that are left to the relay or pending', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11, 12, 13, 14, 15);
  relay.place({ settled: [{ from: 10, to: 10 }], abandoned: [{ from: 11, to: 12 }], pending: [{ from: 14, to: 14 }] });
  const entry = { ...range(10, 15), mustBeDue: true } as const;

  const end = await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));

  expect(end).toEqual({
    type: 'notDue',
    letters: 3,
    offsets: [
      { from: 13, to: 13 },
      { from: 15, to: 15 },
    ],
  });
  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([11, 12, 14]);
  const progress = relay.ledger.peek(PLACE)?.progress;
  expect([progress?.settled, progress?.abandoned, progress?.pending]).toEqual([
    [
      { from: 10, to: 12 },
      { from: 14, to: 14 },
    ],
    undefined,
    [],
  ]);
});

test('what was left to the relay and fell out of the memory of the ledger is not in doubt', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.place({ settled: [{ from: 20, to: 29 }], floor: 20, abandoned: [{ from: 10, to: 10 }] });
  const entry = { ...range(10, 11), mustBeDue: true } as const;

  const end = await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));

  // 11 was settled, or else it would be known.
  expect(end).toEqual({ type: 'done', letters: 1 });
  expect(header(relay.letters.letters[0], 'x-doubtful')).toBeUndefined();
});

test('a recreated topic loses no record to an entry about the topic before', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 11);
  relay.place({});
  const entry = { ...range(10, 11), mustBeDue: true } as const;

  const first = await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));
  expect(first).toEqual({ type: 'notDue', letters: 0, offsets: [{ from: 10, to: 11 }] });
  expect(relay.letters.letters).toEqual([]);

  // The consumer has handled them meanwhile.
  relay.place({ settled: [{ from: 0, to: 20 }] });
  const second = await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));
  expect(second).toEqual({ type: 'done', letters: 0 });
});

test('what compaction took is left to the relay no more', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 12);
  relay.place({ abandoned: [{ from: 10, to: 12 }] });
  const entry = { ...range(10, 12), mustBeDue: true } as const;

  await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));

  expect(relay.ledger.peek(PLACE)?.progress.abandoned).toBeUndefined();
  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([10, 12]);
});

test('an entry about offsets that the topic never had is done: there is nothing to be lost', async () => {
  const relay = aRelay();
  withRecords(relay, 10, 14);
  relay.place({ settled: [{ from: 10, to: 10 }] });
  const entry = { ...range(11, 13), mustBeDue: true } as const;

  const end = await relay.invoke((invocation) => relayRange(entry, relay.ports, relay.policy, invocation));
  expect(end).toEqual({ type: 'done', letters: 0 });
  const beyond = { ...range(15, 90), mustBeDue: true } as const;
  expect(await relay.invoke((invocation) => relayRange(beyond, relay.ports, relay.policy, invocation))).toEqual({
    type: 'done',
    letters: 0,
  });
});
