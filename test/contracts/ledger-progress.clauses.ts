import { expect } from 'vitest';
import { type BlockedRecord, FRESH_PROGRESS, type Progress } from '../../shared/decide/progress.ts';
import { rangesOf } from '../../shared/record/offset-ranges.ts';
import type { Clause } from './contract-results.ts';
import { FULL_PROGRESS } from './full-progress.ts';
import { claimBy, type LedgerUnderTest, newPartition, writeBy } from './ledger-under-test.ts';

/** What is written is what is read. */
export function ledgerProgressClauses(clause: Clause, open: () => Promise<LedgerUnderTest>): void {
  const afterWriting = async (...written: readonly Progress[]) => {
    const { ledger } = await open();
    const partition = newPartition();
    await ledger.claim(claimBy(partition, 'a'));
    for (const [index, progress] of written.entries()) {
      await ledger.write(writeBy(partition, 'a', { rev: index + 1, progress }));
    }
    return (await ledger.read(partition))?.progress;
  };

  clause('gives back every field of the progress', async () => {
    expect(await afterWriting(FULL_PROGRESS)).toEqual(FULL_PROGRESS);
  });

  clause('gives back fields that are empty or absent as such', async () => {
    expect(await afterWriting(FRESH_PROGRESS)).toStrictEqual(FRESH_PROGRESS);
  });

  clause('forgets every field that a later write no longer has', async () => {
    expect(await afterWriting(FULL_PROGRESS, FRESH_PROGRESS)).toStrictEqual(FRESH_PROGRESS);
  });

  for (const field of Object.keys(FULL_PROGRESS)) {
    clause(`gives back \`${field}\` when it is all there is`, async () => {
      const progress: Progress = { ...FRESH_PROGRESS, [field]: FULL_PROGRESS[field as keyof Progress] };

      expect(await afterWriting(FULL_PROGRESS, progress)).toStrictEqual(progress);
    });
  }

  clause('gives back offset 0 and time 0, which are values and not absences', async () => {
    const progress: Progress = {
      ...FRESH_PROGRESS,
      settled: [{ from: 0, to: 0 }],
      floor: 0,
      newestTimestamp: 0,
      skipBelow: 0,
      runBelow: 0,
      isolateUntil: 0,
      pausedUntil: 0,
      firstRecords: [{ offset: 0, timestamp: 0, valueHash: 'AAAAAAAAAAA' }],
      missingRecord: { offset: 0, since: 0, laterBatches: 0 },
      running: { offset: 0, timestamp: 0, valueHash: 'AAAAAAAAAAA' },
    };

    expect(await afterWriting(progress)).toStrictEqual(progress);
  });

  clause('gives back timestamps of -1, which Kafka has for records without', async () => {
    const mark = { offset: 10, timestamp: -1, valueHash: 'q1-_Zz09aBc' };
    const progress = { ...FRESH_PROGRESS, firstRecords: [mark], newestTimestamp: -1, running: mark };

    expect(await afterWriting(progress)).toStrictEqual(progress);
  });

  clause('gives back the largest offsets that a number holds', async () => {
    const offset = Number.MAX_SAFE_INTEGER;
    const progress = {
      ...FRESH_PROGRESS,
      settled: [{ from: 1, to: offset }],
      firstRecords: [{ offset, timestamp: 1_795_251_600_000, valueHash: 'q1-_Zz09aBc' }],
      floor: offset,
    };

    expect(await afterWriting(progress)).toStrictEqual(progress);
  });

  clause(
    'gives back a full item: 1,000 settled and 1,000 pending ranges, 64 first records, 200 blocked records with long errors',
    async () => {
      const offsets = Array.from({ length: 1_000 }, (_, index) => index * 10);
      const blockedRecords = offsets.slice(0, 200).map((offset): [number, BlockedRecord] => [
        offset,
        {
          ...FULL_PROGRESS.running,
          offset,
          attempts: 5,
          interruptions: 1,
          exhausted: true,
          error: { name: 'Error', text: 'x'.repeat(1_000), stage: 'interrupted' },
        },
      ]);
      const progress: Progress = {
        ...FRESH_PROGRESS,
        settled: rangesOf(offsets.map((offset) => offset + 5)),
        pending: rangesOf(offsets),
        blockedRecords: new Map(blockedRecords),
        firstRecords: offsets.slice(0, 64).map((offset) => ({ ...FULL_PROGRESS.running, offset })),
      };

      expect(await afterWriting(progress)).toStrictEqual(progress);
    },
  );
}
