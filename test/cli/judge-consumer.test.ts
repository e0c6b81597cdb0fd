import { expect, test } from 'vitest';
import type { DeployedConsumer } from '../../cli/consumer.ts';
import type { ConsumerStatus, PartitionStatus } from '../../cli/consumer-state.ts';
import { judgeConsumer, type Seen } from '../../cli/judge-consumer.ts';
import type { PartitionItem } from '../../shared/decide/progress.ts';
import type { LetterLine } from '../../shared/operator/answers.ts';
import { blockedRecordAt, progressOf } from '../fixtures/progress.ts';

const NOW = 1_795_251_600_000;
const consumer = { name: 'Orders', topic: 'orders', group: 'shop', alarmPrefix: 'Shop-Orders-' } as DeployedConsumer;
const ALARMS = ['blocked-record', 'partition-halted', 'loss-suspected', 'dead-letters', 'function-errors'].map(
  (name) => ({ name, state: 'OK' }) as const,
);
const partition: PartitionStatus = { partition: 0, lag: 0, next: 10, state: 'ok', blockedRecords: [] };
const item: PartitionItem = {
  epoch: 7,
  rev: 9,
  leaseUntil: NOW - 600_000,
  claims: [],
  progress: progressOf({ settled: [{ from: 0, to: 9 }] }),
};
const letter = (origin: string) => ({ origin }) as LetterLine;
function judged(
  {
    mapping = {},
    items = [item],
    letters = [],
    alarms = ALARMS,
  }: Partial<Pick<Seen, 'mapping' | 'items' | 'letters' | 'alarms'>>,
  changes: Partial<ConsumerStatus> = {},
  before?: { epoch?: number; settledTo?: number; queued?: number },
) {
  const status = { consumer: 'Orders', problems: [], partitions: [partition], inFallbackQueue: 0, ...changes };
  const seen: Seen = {
    consumer,
    status: status as unknown as ConsumerStatus,
    mapping,
    alarms,
    items,
    letters,
    now: NOW,
  };
  const { queued = 0, ...then } = before ?? {};
  const earlier = { consumer: 'Orders', findings: [], partitions: [{ partition: 0, ...then }], queued };
  return judgeConsumer(seen, before && earlier).findings.map(({ code, place, says }) => [code, place, says]);
}

const withProgress = (changes: Parameters<typeof progressOf>[0]): PartitionItem[] => [
  { ...item, progress: progressOf({ settled: [{ from: 0, to: 4 }], ...changes }) },
];

test('a consumer that is well has no finding, also where it was less far before', () => {
  expect(judged({}, {}, { epoch: 7, settledTo: 3 })).toEqual([]);
  expect(judged({ items: [undefined] }, { partitions: [{ ...partition, state: 'never claimed' }] })).toEqual([]);
});

test('a stuck partition, and a mapping that does not read, stand still', () => {
  const partitions = [{ ...partition, state: 'blocked' as const, lag: 3 }];
  expect(judged({}, { partitions, problems: ['the mapping is Disabled'] })).toEqual([
    ['stands-still', undefined, 'the mapping is Disabled'],
    ['stands-still', 'orders-0', 'it is blocked, 3 records behind'],
  ]);
});

test('an offset is settled or waits, never both', () => {
  expect(judged({ items: withProgress({ pending: [{ from: 4, to: 4 }] }) })[0]).toEqual([
    'settled-and-pending',
    'orders-0',
    'offset 4 is settled and waits, both',
  ]);
  expect(judged({ items: withProgress({ blockedRecords: new Map([[2, blockedRecordAt(2)]]) }) })[0]?.[2]).toBe(
    'offset 2 is settled and waits, both',
  );
});

test('an offset that waits although Lambda has committed it is named, unless somebody still cares for it', () => {
  const pending = [{ from: 5, to: 6 }];
  expect(judged({ items: withProgress({ pending }) })).toEqual([
    ['not-redelivered', 'orders-0', 'offset 5 waits, but Lambda has committed up to 10 and does not deliver it again'],
  ]);
  expect(judged({ items: withProgress({ pending, abandoned: pending }) })).toEqual([]);
  expect(judged({ items: withProgress({ pending }).map((one) => ({ ...one, leaseUntil: NOW })) })).toEqual([]);
  expect(judged({ items: withProgress({ pending: [{ from: 10, to: 10 }] }) })).toEqual([]);
});

test('a dead letter needs its mark: a settled record, or one that the handler never gets again', () => {
  const items = withProgress({ blockedRecords: new Map([[5, blockedRecordAt(5, { exhausted: true })]]), floor: 2 });
  expect(judged({ items, letters: ['orders-0@1', 'orders-0@4', 'orders-0@5', 'other-0@9'].map(letter) })).toEqual([]);
  expect(judged({ items, letters: [letter('orders-0@6')] })).toEqual([
    ['letter-without-mark', 'orders-0@6', 'it has a dead letter, and the ledger does not know of it'],
  ]);
});

test('neither epoch nor progress goes back', () => {
  expect(judged({}, {}, { epoch: 8, settledTo: 12 })).toEqual([
    ['went-back', 'orders-0', 'its epoch was 8 and is 7'],
    ['went-back', 'orders-0', 'its highest settled offset was 12 and is 9'],
  ]);
  expect(judged({ items: [undefined] }, {}, { epoch: 8 })).toEqual([
    ['went-back', 'orders-0', 'its epoch was 8 and is gone'],
  ]);
});

test('messages in a queue are a finding once they waited at two audits', () => {
  expect(judged({}, { inFallbackQueue: 2 })).toEqual([]);
  expect(judged({}, { inFallbackQueue: 2 }, { queued: 1 })).toEqual([
    ['queue-waits', undefined, '2 messages wait, and 1 did before'],
  ]);
});

test.each([
  [{ MaximumRetryAttempts: 5 }, 'it gives records up after 5 retries'],
  [{ MaximumRecordAgeInSeconds: 60 }, 'it gives records up after 60 s'],
  [{ DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:q' } } }, 'it has a failure destination'],
  [{ ProvisionedPollerConfig: {} }, 'it ignores partial answers, and commits what failed'],
  [{ Topics: ['returns'] }, 'it reads returns, not orders'],
  [{ AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'x' } }, 'its group is x, not shop'],
])('a mapping that somebody changed is named (%#)', (mapping, says) => {
  expect(judged({ mapping })).toEqual([['mapping-differs', undefined, says]]);
});

test('a mapping as the construct makes it is no finding', () => {
  const mapping: Seen['mapping'] = {
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    ProvisionedPollerConfig: {},
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    Topics: ['orders'],
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'shop' },
  };
  expect(judged({ mapping })).toEqual([]);
});

test('alarms that are gone, or whose actions somebody switched off, are named', () => {
  const [, ...others] = ALARMS;
  expect(judged({ alarms: others })).toEqual([['alarms-off', undefined, 'there is no alarm blocked-record']]);
  expect(judged({ alarms: [{ name: 'blocked-record', state: 'ALARM', isSilenced: true }, ...others] })).toEqual([
    ['alarms-off', undefined, 'the actions of blocked-record are switched off'],
  ]);
});
