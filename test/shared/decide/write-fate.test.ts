import { expect, test } from 'vitest';
import { FRESH_PROGRESS, type PartitionItem } from '../../../shared/decide/progress.ts';
import { writeFate } from '../../../shared/decide/write-fate.ts';

const at = (epoch: number, rev: number): PartitionItem => ({
  epoch,
  rev,
  leaseUntil: 0,
  claims: [],
  progress: FRESH_PROGRESS,
});

test.each<[string, PartitionItem | undefined, 'applied' | 'fenced']>([
  ['at our epoch and the revision that we wanted to make was applied before', at(7, 21), 'applied'],
  ['at our epoch and the revision that we followed was refused to us', at(7, 20), 'fenced'],
  ['at our epoch but further on is another write', at(7, 22), 'fenced'],
  ['at another epoch is another write, whatever its revision', at(8, 21), 'fenced'],
  ['that is gone was not written by us', undefined, 'fenced'],
])('a refused write whose item is %s', (_title, item, fate) => {
  expect(writeFate(item, { epoch: 7, rev: 20 })).toBe(fate);
});
