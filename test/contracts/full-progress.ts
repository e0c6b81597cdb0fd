import type { Progress } from '../../shared/decide/progress.ts';

/** Progress in which every field is there. */
export const FULL_PROGRESS: Required<Progress> = {
  settled: [
    { from: 10, to: 14 },
    { from: 20, to: 20 },
    { from: 5_000_000_000, to: 5_000_000_099 },
  ],
  pending: [{ from: 15, to: 19 }],
  floor: 10,
  firstRecords: [
    { offset: 10, timestamp: 1_795_251_500_000, valueHash: 'q1-_Zz09aBc' },
    { offset: 20, timestamp: 1_795_251_499_000, valueHash: '47DEQpj8HBS' },
    { offset: 5_000_000_000, timestamp: 1_795_251_599_999, valueHash: 'AAAAAAAAAAA' },
  ],
  newestTimestamp: 1_795_251_599_999,
  blockedRecords: new Map([
    [
      15,
      {
        offset: 15,
        timestamp: 1_795_251_500_500,
        valueHash: '47DEQpj8HBS',
        keyHash: 'k1',
        attempts: 3,
        interruptions: 2,
        exhausted: true,
        firstFailedAt: 1_795_251_501_000,
        notBefore: 1_795_251_509_000,
        fingerprint: 'TypeError: cannot read # of undefined',
        error: { name: 'TypeError', text: 'cannot read "ä" of undefined', stage: 'handler' },
        parked: { sequence: 'q7-_Zz09aBcD', ordinal: 3 },
        rounds: 2,
      },
    ],
    [
      17,
      {
        offset: 17,
        timestamp: -1,
        valueHash: 'q1-_Zz09aBc',
        attempts: 0,
        interruptions: 0,
        exhausted: false,
      },
    ],
  ]),
  missingRecord: { offset: 15, since: 1_795_251_400_000, laterBatches: 2 },
  replayRefused: [
    { from: 2, to: 4 },
    { from: 6, to: 6 },
  ],
  newestRefused: 1_795_251_600_500,
  skipBelow: 7,
  runBelow: 8,
  isolateUntil: 19,
  running: { offset: 16, timestamp: 1_795_251_500_600, valueHash: 'AAAAAAAAAAA' },
  pausedUntil: 1_795_251_700_000,
  consecutiveDeadLetters: 42,
  maxConsecutiveDeadLetters: 7,
  oneRecordPerCall: true,
  goneMarks: [
    {
      offset: 3,
      timestamp: 1_795_251_500_100,
      valueHash: '47DEQpj8HBS',
      attempts: 1,
      interruptions: 0,
      exhausted: true,
      firstFailedAt: 1_795_251_501_000,
      parked: { sequence: 'q7-_Zz09aBcD', ordinal: 1 },
    },
    {
      offset: 3,
      timestamp: 1_795_251_600_100,
      valueHash: 'q1-_Zz09aBc',
      attempts: 0,
      interruptions: 0,
      exhausted: true,
      parked: { sequence: 'q7-_Zz09aBcD', ordinal: 2 },
    },
  ],
};
