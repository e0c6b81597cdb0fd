import { describe, expect, test } from 'vitest';
import { decideKey, isHolderAlive, type KeyItem } from '../../../shared/decide/idempotency.ts';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { FRESH_PROGRESS } from '../../../shared/decide/progress.ts';

const ours = { ledgerKey: 'partition#c#g#orders#3', epoch: 7 };
const seeker = { position: 'orders-3@42', valueHash: 'same', holder: ours };
const item = (changes: Partial<KeyItem> = {}): KeyItem => ({
  status: 'IN_PROGRESS',
  position: 'orders-3@42',
  claimedBy: ours,
  valueHash: 'same',
  expiresAt: 100,
  ...changes,
});

describe('a key', () => {
  test('that expired is free, deleted or not', () => {
    expect(decideKey(item({ status: 'COMPLETED' }), seeker, 99_999)).toEqual({ type: 'duplicate' });
    expect(decideKey(item({ status: 'COMPLETED' }), seeker, 100_000)).toEqual({ type: 'free' });
  });

  test('that was completed with the same value is a duplicate', () => {
    expect(decideKey(item({ status: 'COMPLETED', position: 'orders-0@7' }), seeker, 0)).toEqual({ type: 'duplicate' });
  });

  test('that was completed with another value is reused, and says by whom it was taken', () => {
    const completed = item({ status: 'COMPLETED', position: 'orders-0@7', valueHash: 'other' });

    expect(decideKey(completed, seeker, 0)).toEqual({ type: 'reused', by: 'orders-0@7' });
  });

  test('that the same record completed with its value in another form is a duplicate, of another record it is reused', () => {
    const completed = item({ status: 'COMPLETED', valueHash: 'hW3k_q0-' });
    const inAnotherForm = { ...seeker, valueHash: 'JtpLqAvo6' };

    expect(decideKey(completed, inAnotherForm, 0)).toEqual({ type: 'duplicate' });
    expect(decideKey(completed, { ...inAnotherForm, position: 'orders-3@43' }, 0).type).toBe('reused');
    expect(decideKey(completed, { ...seeker, valueHash: 'tpLqAvo6' }, 0).type).toBe('reused');
  });

  test('that another partition works on is held', () => {
    const held = item({ claimedBy: { ledgerKey: 'partition#c#g#orders#0', epoch: 7 } });

    expect(decideKey(held, seeker, 0)).toEqual({ type: 'held' });
  });

  test('that our own partition took under another epoch was left by a dead invocation, and is free', () => {
    const left = item({ claimedBy: { ...ours, epoch: 6 } });

    expect(decideKey(left, seeker, 0)).toEqual({ type: 'free' });
  });

  test('that our own partition took under a later epoch is held: we are the dead invocation', () => {
    const later = item({ claimedBy: { ...ours, epoch: 8 } });

    expect(decideKey(later, seeker, 0)).toEqual({ type: 'held' });
  });

  test('that we took for this record is ours: an answer was lost', () => {
    expect(decideKey(item(), seeker, 0)).toEqual({ type: 'ours' });
  });

  test('that we took for another record is held', () => {
    const held = item({ position: 'orders-3@41' });

    expect(decideKey(held, seeker, 0)).toEqual({ type: 'held' });
  });
});

describe('a holder', () => {
  const partition: PartitionItem = {
    epoch: 7,
    rev: 1,
    owner: 'x',
    leaseUntil: 1_000,
    claims: [],
    progress: FRESH_PROGRESS,
  };
  const { owner: _, ...released } = partition;

  test.each<[string, PartitionItem | undefined, boolean]>([
    ['within its lease lives', partition, true],
    ['whose lease has run out is dead', { ...partition, leaseUntil: 999 }, false],
    ['that was followed by another epoch is dead', { ...partition, epoch: 8 }, false],
    ['that gave its partition back is dead', released, false],
    ['whose partition has no item is dead', undefined, false],
  ])('%s', (_title, holder, alive) => {
    expect(isHolderAlive(holder, ours, 1_000)).toBe(alive);
  });
});
