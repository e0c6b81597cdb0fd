import { expect, test } from 'vitest';
import { DEFAULT_PARK_LIMITS } from '../../../shared/decide/parking.ts';
import { parkedKeyOf } from '../../../shared/record/item-identifier.ts';
import { relayRange } from '../../../shared/relay/relay-range.ts';
import { sweep } from '../../../shared/relay/sweep.ts';
import type { ReleaseEvent } from '../../../shared/release/release-event.ts';
import { blockedRecordAt } from '../../fixtures/progress.ts';
import { aRelay, header, PLACE, START } from './a-relay.ts';

const CAUSE = { code: 'RECORD_ABANDONED', text: 'lost' } as const;
const RELEASE = { everyMs: 60_000, maxEveryMs: 600_000, maxRounds: 2, maxInterruptions: 3 };
const placeOf = (key: string) => ({ ...PLACE, parkedKey: parkedKeyOf(Buffer.from(key)) });
const RANGE = { partition: PLACE, offsets: [{ from: 0, to: 3 }], cause: CAUSE };

/** A relay of a consumer that parks keys; offsets 0 to 3 hold records of a, b, a and of no key. */
function aParkingRelay(policy = {}) {
  const relay = aRelay({ policy: { park: DEFAULT_PARK_LIMITS, ...policy } });
  for (const [offset, key] of ['a', 'b', 'a', null].entries())
    relay.log.put(PLACE, offset, { key: key === null ? null : Buffer.from(key), value: Buffer.from('{}') });
  relay.place({ pending: [{ from: 0, to: 3 }] });
  return relay;
}

test('parks what the mapping has lost, behind what is parked, and dead-letters what has no key', async () => {
  const relay = aParkingRelay();

  const end = await relay.invoke((invocation) => relayRange(RANGE, relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'done', letters: 4 });
  expect(relay.letters.letters.map((letter) => [letter.origin.offset, header(letter, 'x-parked-ordinal')])).toEqual([
    [0, '1'],
    [1, '1'],
    [2, '2'],
    [3, undefined],
  ]);
  expect(await relay.ledger.parkedKeys.read(placeOf('a'))).toMatchObject({ tail: 2, behind: 'orders-3@0' });
  expect(relay.ledger.peek(PLACE)).toMatchObject({ parked: 2, progress: { settled: [{ from: 0, to: 3 }] } });
});

test('parks nothing while an earlier record is pending that it does not have: Lambda may still deliver it, and of the same key', async () => {
  const relay = aParkingRelay();
  const range = { ...RANGE, offsets: [{ from: 1, to: 3 }] };

  const early = await relay.invoke((invocation) => relayRange(range, relay.ports, relay.policy, invocation));

  expect(early).toEqual({ type: 'again', letters: 0, why: 'an earlier record of the partition is not settled' });
  expect(relay.letters.letters).toEqual([]);

  relay.place({ settled: [{ from: 0, to: 0 }], pending: [{ from: 1, to: 3 }] });
  expect(await relay.invoke((invocation) => relayRange(range, relay.ports, relay.policy, invocation))).toEqual({
    type: 'done',
    letters: 3,
  });
});

test('repeats the letter of a marked record under its own ordinal', async () => {
  const relay = aParkingRelay();
  const parked = { sequence: 's1', ordinal: 7 };
  const marked = blockedRecordAt(2, { timestamp: 1_002, exhausted: true, parked });
  relay.place({ settled: [{ from: 0, to: 1 }], pending: [{ from: 2, to: 2 }], blockedRecords: new Map([[2, marked]]) });

  await relay.invoke((invocation) =>
    relayRange({ ...RANGE, offsets: [{ from: 2, to: 2 }] }, relay.ports, relay.policy, invocation),
  );

  const [letter] = relay.letters.letters;
  expect([header(letter, 'x-parked-sequence'), header(letter, 'x-parked-ordinal')]).toEqual(['s1', '7']);
  expect(relay.ledger.peek(PLACE)).not.toHaveProperty('parked');
});

test('the schedule sends the letters of marked records that exist no longer, also where no batch comes', async () => {
  const relay = aParkingRelay();
  const gone = blockedRecordAt(9, { exhausted: true, parked: { sequence: 's1', ordinal: 1 } });
  relay.place({ settled: [{ from: 0, to: 3 }], goneMarks: [gone] });

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(relay.letters.letters.map((letter) => [header(letter, 'x-parked-ordinal'), letter.value])).toEqual([
    ['1', null],
  ]);
  expect(relay.ledger.peek(PLACE)).toMatchObject({ progress: { settled: [{ from: 0, to: 3 }] } });
  expect(relay.ledger.peek(PLACE)?.progress.goneMarks).toBeUndefined();
});

test('writes a letter without a value for each marked record that Kafka holds no more', async () => {
  const relay = aParkingRelay();
  relay.log.expire(PLACE, 4);
  const mark = (offset: number, ordinal: number) =>
    [offset, blockedRecordAt(offset, { exhausted: true, parked: { sequence: 's1', ordinal } })] as const;
  const gone = blockedRecordAt(9, { exhausted: true, parked: { sequence: 's1', ordinal: 1 } });
  relay.place({ pending: [{ from: 0, to: 3 }], blockedRecords: new Map([mark(1, 2), mark(2, 3)]), goneMarks: [gone] });

  await relay.invoke((invocation) => relayRange(RANGE, relay.ports, relay.policy, invocation));

  expect(
    relay.letters.letters.map((letter) => [
      header(letter, 'x-parked-ordinal'),
      header(letter, 'x-error-name'),
      letter.value,
    ]),
  ).toEqual([
    ['1', 'RECORD_EXPIRED', null],
    [undefined, 'RECORD_EXPIRED', null],
    ['2', 'RECORD_EXPIRED', null],
    ['3', 'RECORD_EXPIRED', null],
    [undefined, 'RECORD_EXPIRED', null],
  ]);
  expect(relay.ledger.peek(PLACE)?.progress.goneMarks).toBeUndefined();
});

test('parks as much of a range as the limits allow, and the rest comes back', async () => {
  const relay = aParkingRelay({ park: { maxPerKey: 10, maxKeys: 1 } });

  const end = await relay.invoke((invocation) => relayRange(RANGE, relay.ports, relay.policy, invocation));

  expect(end).toEqual({ type: 'again', letters: 1, why: 'no more may be parked' });
  expect(relay.counts.get('ParkedKeysFull')).toBeGreaterThan(0);
  expect(relay.ledger.peek(PLACE)).toMatchObject({ parked: 1, progress: { settled: [{ from: 0, to: 0 }] } });
});

test('tells how much is parked since when, and tries again what is due with the letters that follow each other', async () => {
  const relay = aParkingRelay({ release: RELEASE });
  relay.log.commit('billing', PLACE, 4);
  await relay.invoke((invocation) => relayRange(RANGE, relay.ports, relay.policy, invocation));
  for (const [offset, letter] of relay.letters.letters.entries())
    relay.log.put({ topic: 'orders-dead-letters', partition: 3 }, offset, letter);
  const events: ReleaseEvent[] = [];
  const release = async (event: ReleaseEvent) => {
    events.push(event);
    return { batchItemFailures: [], end: 'halted' as const, settled: 0, gone: 0, next: 1 };
  };
  const ports = { ...relay.ports, release };

  await relay.invoke((invocation) => sweep(ports, relay.policy, invocation));
  expect(events).toEqual([]);
  await relay.clock.runUntilSettled(relay.clock.sleep(61_000));
  await relay.invoke((invocation) => sweep(ports, relay.policy, invocation));

  expect(relay.counts.get('ParkedAgeMs')).toBeGreaterThanOrEqual(61_000);
  expect(events.map(({ parkedKey, letters }) => [parkedKey, letters.length])).toEqual([
    [parkedKeyOf(Buffer.from('a')), 2],
    [parkedKeyOf(Buffer.from('b')), 1],
  ]);
});

test('frees a key in which nothing waits any more, whoever left it so', async () => {
  const relay = aParkingRelay();
  relay.log.commit('billing', PLACE, 4);
  await relay.invoke((invocation) => relayRange(RANGE, relay.ports, relay.policy, invocation));
  const { parkedKeys } = relay.ledger;
  const item = await parkedKeys.read(placeOf('b'));
  const whole = relay.ledger.peek(PLACE);
  if (item === undefined || whole === undefined) throw new Error('b is not parked');
  const lease = { owner: 'r', now: START, leaseUntil: START + 15_000 };
  await parkedKeys.claim({ partition: placeOf('b'), ...lease, offsets: [], seen: { partition: whole, item } });
  await relay.ledger.write({
    ...{ partition: placeOf('b'), owner: 'r', epoch: whole.epoch + 1, rev: 1, sequence: item.sequence },
    ...{ progress: { ...item.progress, settled: [{ from: 1, to: 1 }] }, leaseUntil: START, claimed: [], release: true },
  });

  await relay.invoke((invocation) => sweep(relay.ports, relay.policy, invocation));

  expect(await parkedKeys.read(placeOf('b'))).toBeUndefined();
  expect(relay.ledger.peek(PLACE)).toMatchObject({ parked: 1 });
});
