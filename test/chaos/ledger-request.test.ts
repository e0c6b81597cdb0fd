import { expect, test } from 'vitest';
import { claimUpdate, progressUpdate } from '../../shared/adapters/dynamodb/ledger-update.ts';
import { FRESH_PROGRESS } from '../../shared/decide/progress.ts';
import { readLedgerRequest } from './ledger-request.ts';

const partition = { cluster: 'c', group: 'g', topic: 't-1', partition: 3 };
const TARGET = 'DynamoDB_20120810.UpdateItem';

test('reads a claim as the ledger sends it', () => {
  const request = claimUpdate('table', {
    partition,
    owner: 'me',
    now: 1,
    leaseUntil: 2,
    offsets: [{ from: 4, to: 5 }],
  });

  expect(readLedgerRequest(TARGET, JSON.stringify(request))).toEqual({ type: 'claim', topic: 't-1', partition: 3 });
});

test('reads a write as the ledger sends it, with what it counts as settled', () => {
  const settled = [
    { from: 0, to: 40 },
    { from: 42, to: 42 },
    { from: 100, to: 141 },
  ];
  const progress = { ...FRESH_PROGRESS, settled };
  const request = progressUpdate('table', {
    ...{ partition, epoch: 7, owner: 'me', rev: 9, leaseUntil: 2, claimed: [], release: false, progress },
  });

  expect(readLedgerRequest(TARGET, JSON.stringify(request))).toEqual({
    type: 'write',
    topic: 't-1',
    partition: 3,
    epoch: 7,
    settled,
  });
});

test('leaves alone what is no update of a partition', () => {
  expect(readLedgerRequest('DynamoDB_20120810.GetItem', '{}')).toBeUndefined();
  expect(readLedgerRequest(TARGET, '{"Key":{"pk":{"S":"key#orders#abc"}}}')).toBeUndefined();
});
