import { describe, expect, test } from 'vitest';
import type { ParkedItem, Progress } from '../../../shared/decide/progress.ts';
import { decideRelease, dropUpTo, isReleaseDue } from '../../../shared/decide/release.ts';
import { blockedRecordAt, identity, progressOf } from '../../fixtures/progress.ts';

const NOW = 1_000_000;

function parkedItem(progress: Partial<Progress> = {}, change: Partial<ParkedItem> = {}): ParkedItem {
  return {
    epoch: 9,
    rev: 4,
    owner: 'me',
    leaseUntil: 0,
    claims: [],
    progress: progressOf(progress),
    sequence: 's1',
    tail: 5,
    since: 0,
    behind: 'orders-0@7',
    fingerprint: '',
    key: '',
    ...change,
  };
}

const records = (...ordinals: number[]) => ordinals.map((ordinal) => ({ ...identity(ordinal), attempts: 5 }));
const openOf = (item: ParkedItem, ...ordinals: number[]) =>
  decideRelease(item, 'me', records(...ordinals), NOW).open.map(({ offset }) => offset);

describe('what of an event may run', () => {
  test.each([
    ['all that follows what is settled', [1, 2, 3], {}, [1, 2, 3]],
    ['what is settled already does not', [1, 2, 3], { settled: [{ from: 1, to: 2 }] }, [3]],
    ['nothing behind an ordinal that did not come', [1, 2, 4, 5], {}, [1, 2]],
    ['nothing where the next one did not come', [2, 3], {}, []],
    ['nothing beyond the tail', [4, 5, 6], { settled: [{ from: 1, to: 3 }] }, [4, 5]],
    ['in order, however it came', [3, 1, 2, 1], {}, [1, 2, 3]],
  ])('%s', (_, came, progress, open) => {
    expect(openOf(parkedItem(progress), ...came)).toEqual(open);
  });
});

test('the record that comes first gets a round of tries: its attempts go on being counted, its back-off is over', () => {
  const head = blockedRecordAt(1, { attempts: 6, rounds: 1, notBefore: NOW + 1_000 });
  const item = parkedItem({ blockedRecords: new Map([[1, head]]), pausedUntil: NOW + 1_000 });

  const { progress } = decideRelease(item, 'me', records(1), NOW);

  expect(progress.blockedRecords.get(1)).toEqual({ ...blockedRecordAt(1, { attempts: 6 }), rounds: 2 });
  expect(progress.pausedUntil).toBeUndefined();
});

test('what may run is due again until it settles, and nobody was interrupted where nobody died', () => {
  const decision = decideRelease(parkedItem(), 'me', records(1, 2, 4), NOW);

  expect(decision.toRedeliver).toEqual([{ from: 1, to: 2 }]);
  expect('interrupted' in decision).toBe(false);
});

test('a death counts for the record that ran, and what follows runs one at a time', () => {
  const item = parkedItem(
    { running: identity(1) },
    {
      claims: [
        { owner: 'dead', offsets: [{ from: 1, to: 3 }] },
        { owner: 'me', offsets: [] },
      ],
    },
  );

  const { progress, interrupted } = decideRelease(item, 'me', records(1, 2), NOW);

  expect(interrupted?.offset).toBe(1);
  expect(progress.blockedRecords.get(1)?.interruptions).toBe(1);
  expect(progress.isolateUntil).toBe(3);
});

describe('the relay tries a parked key again', () => {
  const POLICY = { everyMs: 60_000, maxEveryMs: 200_000, maxRounds: 3, maxInterruptions: 2 };
  const released = { leaseUntil: NOW };
  const { owner: _, ...free } = parkedItem({}, released);
  const withHead = (change: object) => ({
    ...free,
    progress: progressOf({ blockedRecords: new Map([[1, blockedRecordAt(1, change)]]) }),
  });

  test.each<[string, ParkedItem, number, boolean]>([
    ['not before its time', free, NOW + 59_999, false],
    ['when its time has come', free, NOW + 60_000, true],
    ['later after each round', withHead({ rounds: 1 }), NOW + 119_999, false],
    ['at the longest pause at last', withHead({ rounds: 2 }), NOW + 200_000, true],
    ['not after the last round', withHead({ rounds: 3 }), NOW + 9_000_000, false],
    ['not after so many deaths', withHead({ interruptions: 2 }), NOW + 9_000_000, false],
    ['not before its back-off is over', withHead({ notBefore: NOW + 300_000 }), NOW + 299_999, false],
    ['not while somebody holds it', parkedItem({}, { leaseUntil: NOW + 999_999 }), NOW + 100_000, false],
    ['at once where nothing waits', { ...free, tail: 0 }, NOW, true],
    ['not where something does', { ...free, tail: 1 }, NOW, false],
    ['not while somebody holds it, though nothing waits', parkedItem({}, { tail: 0, leaseUntil: NOW }), NOW, false],
    ['once that lease is over', parkedItem({}, { tail: 0, leaseUntil: NOW - 1 }), NOW, true],
  ])('%s', (_, item, now, due) => {
    expect(isReleaseDue(item, now, POLICY)).toBe(due);
  });
});

test('a drop settles what it names, and forgets the tries of that', () => {
  const progress = progressOf({
    settled: [{ from: 1, to: 1 }],
    blockedRecords: new Map([2, 4].map((ordinal) => [ordinal, blockedRecordAt(ordinal)])),
  });

  expect(dropUpTo(progress, 3)).toMatchObject({
    settled: [{ from: 1, to: 3 }],
    blockedRecords: new Map([[4, blockedRecordAt(4)]]),
  });
  expect(dropUpTo(progress, 0).settled).toEqual([{ from: 1, to: 1 }]);
  expect(dropUpTo(progress, 4).blockedRecords.size).toBe(0);
  expect(dropUpTo(progressOf({}), 0).settled).toEqual([]);
});
