import { describe, expect, test } from 'vitest';
import type { FetchedPiece } from '../../../../shared/adapters/kafka-format/fetched-piece.ts';
import {
  originalInPiece,
  passPiece,
  saysNothingYet,
  sliceOfPiece,
} from '../../../../shared/adapters/kafka-format/original-in-piece.ts';
import { fetchAnswer } from '../../../fixtures/fetch-answer.ts';

/** The value at an offset as text, or what the piece says instead. */
async function valueAt(piece: FetchedPiece, offset: number): Promise<string | undefined> {
  const answer = await originalInPiece(piece, offset);
  return answer?.type === 'found' ? answer.record.value?.toString() : answer?.type;
}

async function valuesAt(piece: FetchedPiece, offsets: readonly number[]): Promise<(string | undefined)[]> {
  return Promise.all(offsets.map((offset) => valueAt(piece, offset)));
}

describe.each(['gzip', 'snappy', 'lz4', 'zstd'])('a batch that Java compressed with %s', (codec) => {
  test('gives each record with its key, value, headers and timestamp', async () => {
    const answer = await originalInPiece(await fetchAnswer(codec), 1);

    expect(answer).toMatchObject({
      type: 'found',
      record: {
        key: Buffer.from('key-1'),
        value: Buffer.from(`${'abcabcabd'.repeat(20)}${'x'.repeat(300)}0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ!$%&/()=?1`),
        headers: [
          { name: 'b', value: Buffer.from('1') },
          { name: 'a', value: Buffer.from('2') },
          { name: 'b', value: Buffer.from('3') },
        ],
      },
    });
    expect(answer?.type === 'found' && new Date(answer.record.timestamp).getUTCFullYear()).toBe(2026);
  });
});

test('gives the time of arrival where the topic stamps its records with it', async () => {
  const answer = await originalInPiece(await fetchAnswer('appendTime'), 0);

  expect(answer?.type === 'found' && new Date(answer.record.timestamp).getUTCFullYear()).toBe(2026);
});

describe('transactions', () => {
  test('what was committed is found; what was rolled back, and markers, are absent', async () => {
    const piece = await fetchAnswer('transactions');

    expect(await valuesAt(piece, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual([
      'absent',
      'absent',
      'A2',
      'absent',
      'absent',
      'plain5',
      'absent',
      'absent',
      'absent',
      'absent',
      'B10',
      'absent',
    ]);
  });

  test('what was rolled back is absent also where several transactions are open when the piece begins', async () => {
    const piece = await fetchAnswer('transactionsFrom3');

    expect(await valuesAt(piece, [3, 4, 5, 6])).toEqual(['absent', 'absent', 'plain5', 'absent']);
  });

  test('the order in which the broker names rolled back transactions does not matter', async () => {
    const piece = await fetchAnswer('transactions');

    expect(await valueAt({ ...piece, aborted: [...piece.aborted].reverse() }, 0)).toBe('absent');
  });

  test('the marker of one producer says nothing of another', async () => {
    const piece = await fetchAnswer('transactions');
    const [, c1, , c3, , , , endOfB] = piece.batches;
    if (c1 === undefined || c3 === undefined || endOfB === undefined)
      return expect.fail('batches 1, 3 and 7 are there');
    const between = { ...endOfB, firstOffset: 2, lastOffset: 2 };

    expect(await valueAt({ ...piece, batches: [c1, between, c3] }, 3)).toBe('absent');
  });
});

describe('a compacted partition', () => {
  test('gives what is left of a batch; the rest is absent', async () => {
    const piece = await fetchAnswer('compacted');

    expect(await valuesAt(piece, [0, 1, 2, 3, 4, 5, 6])).toEqual([
      'absent',
      'absent',
      'absent',
      'absent',
      'v4',
      'w0',
      'w1',
    ]);
  });
});

describe('an empty piece', () => {
  test('says absent at the end of what is decided', async () => {
    const piece: FetchedPiece = { lastStable: 12, logStart: 0, aborted: [], batches: [] };

    expect(await originalInPiece(piece, 12)).toEqual({ type: 'absent' });
    expect(await sliceOfPiece(piece, { from: 12, to: 20 })).toEqual({ records: [], next: 21, logStart: 0 });
  });

  test('says nothing below it: the broker has yet to get the records', async () => {
    const piece: FetchedPiece = { lastStable: 12, logStart: 0, aborted: [], batches: [] };

    expect(await originalInPiece(piece, 11)).toBeUndefined();
    expect(await sliceOfPiece(piece, { from: 11, to: 20 })).toBeUndefined();
  });
});

describe('a slice', () => {
  test('holds the committed records of the range and ends behind the last batch', async () => {
    const slice = await sliceOfPiece(await fetchAnswer('transactions'), { from: 0, to: 100 });

    expect(slice?.records.map(({ offset, record }) => [offset, record.value?.toString()])).toEqual([
      [2, 'A2'],
      [5, 'plain5'],
      [10, 'B10'],
    ]);
    expect(slice?.next).toBe(12);
  });

  test('ends with the range', async () => {
    const slice = await sliceOfPiece(await fetchAnswer('transactions'), { from: 3, to: 5 });

    expect(slice?.records.map(({ offset }) => offset)).toEqual([5]);
    expect(slice?.next).toBe(6);
  });

  test('begins within a batch, and goes on behind one of which the end was compacted away', async () => {
    const piece = await fetchAnswer('compacted');

    expect((await sliceOfPiece(piece, { from: 1, to: 3 }))?.records).toEqual([]);
    const slice = await sliceOfPiece(piece, { from: 6, to: 9 });
    expect(slice?.records.map(({ offset }) => offset)).toEqual([6]);
    expect(slice?.next).toBe(7);
  });
});

describe('a piece that is passed through', () => {
  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'appendTime', 'transactions', 'compacted'])(
    'gives what a slice of it gives, of the whole and of a part: %s',
    async (name) => {
      const piece = await fetchAnswer(name);
      for (const range of [
        { from: 0, to: 99 },
        { from: 1, to: 2 },
        { from: 4, to: 5 },
      ]) {
        const records = [];
        let next = range.from;
        for await (const passing of passPiece(piece, range)) {
          records.push(...passing.records);
          expect(passing.next).toBeGreaterThanOrEqual(next);
          next = passing.next;
        }
        const slice = await sliceOfPiece(piece, range);
        expect({ records, next }).toEqual({ records: slice?.records, next: slice?.next });
      }
    },
  );

  test('is asked for again where it says nothing of what is there', async () => {
    const { batches: _, ...piece } = await fetchAnswer('gzip');
    expect(saysNothingYet({ ...piece, batches: [] }, 0)).toBe(true);
    expect(saysNothingYet({ ...piece, batches: [] }, piece.lastStable)).toBe(false);
  });
});
