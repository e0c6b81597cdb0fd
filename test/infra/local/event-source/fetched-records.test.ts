import { expect, test } from 'vitest';
import { recordPrefix } from '../../../../infra/local/event-source/encode-record.ts';
import { fetchedRecords } from '../../../../infra/local/event-source/fetched-records.ts';
import { fetchAnswer } from '../../../fixtures/fetch-answer.ts';

const PREFIX = recordPrefix({ topic: 'orders', partition: 0 });
const all = () => true;

async function offsetsOf(answer: string, from: number, filter: (value: Buffer | null) => boolean = all) {
  const { records, polled, next, error } = await fetchedRecords(await fetchAnswer(answer), from, PREFIX, filter);
  return { offsets: records.map(({ offset }) => offset), polled, next, error };
}

test('what was committed comes; reading goes on behind what was rolled back, and behind markers', async () => {
  expect(await offsetsOf('transactions', 0)).toEqual({ offsets: [2, 5, 10], polled: 3, next: 12, error: undefined });
});

test('reading begins within a batch, and goes on behind one of which the end was compacted away', async () => {
  expect(await offsetsOf('compacted', 4)).toEqual({ offsets: [4, 5, 6], polled: 3, next: 7, error: undefined });
  expect(await offsetsOf('compacted', 6)).toMatchObject({ offsets: [6], next: 7 });
});

test('what is filtered out was polled all the same', async () => {
  const filter = (value: Buffer | null) => value?.toString() === 'plain5';

  expect(await offsetsOf('transactions', 0, filter)).toMatchObject({ offsets: [5], polled: 3, next: 12 });
});

test('the author of the timestamp is named', async () => {
  const { records } = await fetchedRecords(await fetchAnswer('appendTime'), 0, PREFIX, all);
  expect(records[0]?.json).toContain('"timestampType":"LOG_APPEND_TIME"');
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'])('%s is read, headers in order and repeated', async (codec) => {
  const { records } = await fetchedRecords(await fetchAnswer(codec), 0, PREFIX, all);

  expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  expect(records[1]?.json).toContain('"headers":[{"b":[49]},{"a":[50]},{"b":[51]}]');
});

test('a batch that cannot be read ends what is taken, before it', async () => {
  const piece = await fetchAnswer('transactions');
  const batches = piece.batches.map((batch) => (batch.firstOffset === 5 ? { ...batch, compression: 7 } : batch));
  const { records, next, error } = await fetchedRecords({ ...piece, batches }, 0, PREFIX, all);

  expect(records.map(({ offset }) => offset)).toEqual([2]);
  expect(next).toBe(5);
  expect(error).toEqual(new TypeError('unknown compression 7, expected 0 to 4'));
});
