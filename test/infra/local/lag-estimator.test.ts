import { expect, test } from 'vitest';
import { lagEstimator } from '../../../infra/local/lag-estimator.ts';

test('a group that has consumed everything is not behind', () => {
  expect(lagEstimator()([{ partition: 0, high: 40, committed: 40 }], 1_000)).toEqual({
    MaxOffsetLag: 0,
    SumOffsetLag: 0,
    EstimatedMaxTimeLag: 0,
  });
});

test('is as late as the oldest record that waits has been there', () => {
  const estimate = lagEstimator();
  estimate([{ partition: 0, high: 10, committed: 0 }], 1_000);
  estimate([{ partition: 0, high: 30, committed: 0 }], 2_000);

  expect(estimate([{ partition: 0, high: 30, committed: 5 }], 5_000).EstimatedMaxTimeLag).toBe(4);
  expect(estimate([{ partition: 0, high: 30, committed: 10 }], 6_000).EstimatedMaxTimeLag).toBe(4);
  expect(estimate([{ partition: 0, high: 30, committed: 30 }], 7_000).EstimatedMaxTimeLag).toBe(0);
});

test('takes the largest lag of the partitions, and their sum', () => {
  const positions = [
    { partition: 0, high: 10, committed: 4 },
    { partition: 1, high: 7, committed: 7 },
    { partition: 2, high: 9, committed: 8 },
  ];

  expect(lagEstimator()(positions, 1_000)).toEqual({ MaxOffsetLag: 6, SumOffsetLag: 7, EstimatedMaxTimeLag: 0 });
});
