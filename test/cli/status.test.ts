import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { describe } from '../../cli/status.ts';
import { blockedRecordAt } from '../fixtures/progress.ts';

const NOW = Date.UTC(2026, 0, 1);

test('a stuck partition is seen at a glance, in a hundred columns', () => {
  const error = { name: 'CreditServiceUnreachable', text: 'no answer', stage: 'handler' } as const;
  const text = stripVTControlCharacters(
    describe(
      {
        consumer: 'Orders',
        topic: 'orders',
        group: 'Lockstep-Orders-local-Orders',
        mapping: 'Enabled',
        problems: [],
        openLetters: 1,
        deadLetterTopic: 'orders-dead-letters',
        onDeadLetterTopic: 1_204,
        inFallbackQueue: 2,
        partitions: [
          { partition: 0, lag: 0, next: 1_200_412, state: 'ok', blockedRecords: [] },
          {
            partition: 1,
            lag: 12_345,
            next: 1_198_067,
            state: 'blocked',
            blockedRecords: [
              blockedRecordAt(1_198_067, { attempts: 41, interruptions: 1, error, notBefore: NOW + 93_000 }),
            ],
            blockedSince: NOW - 4_320_000,
            heldUntil: NOW + 12_000,
          },
          {
            partition: 2,
            lag: 1_234_567,
            next: 4_198_067_123,
            state: 'flood breaker',
            blockedRecords: [
              blockedRecordAt(4_198_067_123, { attempts: 5, error, notBefore: NOW - 1 }),
              blockedRecordAt(4_198_067_125),
            ],
            blockedSince: NOW - 7_000_000,
          },
        ],
      },
      NOW,
      '--stack Shop --consumer Orders',
    ),
  );

  expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(text.split('\n')[0]).toBe('Orders  ✖ 2 of 3 partitions stuck');
  expect(text).toContain('1 open dead letter on orders-dead-letters, 2 messages wait for the relay');
  const stuck = text.split('\n').filter((line) => line.startsWith('✖'));
  expect(stuck).toHaveLength(2);
  expect(stuck[0]).toMatch(/^✖ +1 +12,345 +1198067 +blocked +1198067 +41\+1 +93 s +72 min +12 s +CreditService…$/);
  expect(stuck[1]).toMatch(
    /^✖ +2 +1,234,567 +4198067123 +flood breaker +4198067123 \+1 +5 +now +117 min +CreditService…$/,
  );
});
