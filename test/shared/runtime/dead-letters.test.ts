import type { Context } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import type { PartitionItem } from '../../../shared/decide/progress.ts';
import { byPosition, lockstepConsumer, text } from '../../../shared/lockstep-consumer.ts';
import type { DeadLetter } from '../../../shared/ports/dead-letter-publisher.ts';
import type { FallbackEntry } from '../../../shared/ports/fallback-queue.ts';
import type { OriginalReader } from '../../../shared/ports/original-reader.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';

const START = 1_795_251_600_000;

interface World {
  readonly originals?: OriginalReader['read'];
  /** How long the dead-letter topic takes to refuse; it accepts at once where this is absent. */
  readonly refusesAfterMs?: number;
  readonly maxConsecutiveDeadLetters?: number;
}

/** Delivers one record once to a handler that refuses it, 60 seconds before the invocation ends. */
async function deliverOne({ originals, refusesAfterMs, maxConsecutiveDeadLetters }: World) {
  const items: PartitionItem[] = [];
  const clock = new VirtualClock(START);
  const letters: DeadLetter[] = [];
  const giveUps: number[] = [];
  const parked: FallbackEntry[] = [];
  const warnings: [string, unknown][] = [];
  let disconnects = 0;
  const handler = lockstepConsumer({
    value: text,
    idempotencyKey: byPosition,
    retry: { maxAttempts: 1 },
    deadLetterHeaders: ['spring'],
    ...(maxConsecutiveDeadLetters !== undefined && { maxConsecutiveDeadLetters }),
    onRecord: () => {
      throw new Error('no');
    },
  });
  const keys = fakeIdempotencyKeyStore();
  const nothing = () => undefined;
  const ledger = fakeLedgerStore({ keys, onChange: (_, __, after) => void items.push(after) });
  const connection = {
    environment: { consumerGroup: 'billing', failureMode: 'report' as const },
    deployment: undefined,
    ports: {
      ledger,
      parkedKeys: ledger.parkedKeys,
      keys,
      letters: {
        publish: async (letter: DeadLetter, giveUpAt: number) => {
          giveUps.push(giveUpAt);
          if (refusesAfterMs !== undefined) {
            await clock.sleep(refusesAfterMs);
            throw new Error('refused');
          }
          letters.push(letter);
        },
        disconnect: async () => undefined,
      },
      fallback: { send: async (entry: FallbackEntry) => void parked.push(entry) },
      producer: { produce: async () => undefined },
      ...(originals !== undefined && {
        originals: {
          read: originals,
          disconnect: async () => {
            disconnects++;
          },
        },
      }),
      clock,
      secret: fakeStackSecret,
      entropy: { random: () => 0, id: () => 'invocation-1' },
      telemetry: {
        log: {
          debug: nothing,
          info: nothing,
          warn: (said: string, fields?: unknown) => void warnings.push([said, fields]),
          error: nothing,
        },
        count: nothing,
      },
      sandbox: new Sandbox(),
      endProcess: nothing,
      group: 'billing',
    },
    begin: nothing,
    flush: nothing,
  };
  const context = {
    awsRequestId: 'request-1',
    getRemainingTimeInMillis: () => START + 60_000 - clock.now(),
  } as Context;
  const event = kafkaEvent([
    { ...record({ value: Buffer.from('decoded'), timestamp: 17 }), timestampType: 'LOG_APPEND_TIME' },
  ]);
  const answer = await clock.runUntilSettled(invokeWith(handler, connection, event, context));
  return { letters, giveUps, parked, warnings, disconnects, answer, items };
}

const original = (timestamp: number): OriginalReader['read'] => {
  return async () => ({
    type: 'found',
    record: { key: Buffer.from('k'), value: Buffer.from([0, 0, 0, 0, 1, 7]), headers: [], timestamp },
  });
};

describe('the letter of a record whose value the mapping decoded', () => {
  test('has the bytes that Kafka has', async () => {
    const { letters, answer } = await deliverOne({ originals: original(17) });

    expect(letters[0]).toMatchObject({ key: Buffer.from('k'), value: Buffer.from([0, 0, 0, 0, 1, 7]), timestamp: 17 });
    expect(answer).toEqual({ batchItemFailures: [] });
  });

  test('has what was delivered where Kafka has another record by now', async () => {
    const { letters, warnings } = await deliverOne({ originals: original(18) });

    expect(letters[0]).toMatchObject({ value: Buffer.from('decoded'), timestamp: 17 });
    expect(warnings).toContainEqual([
      'Kafka does not hold the original bytes any more; the dead letter has the value that Lambda delivered',
      expect.objectContaining({ topic: 'orders', partition: 0, offset: 0, attempt: 1, found: 'another record' }),
    ]);
  });

  test.each([{ type: 'absent' as const }, { type: 'expired' as const, logStart: 7 }])(
    'has what was delivered where Kafka has none: $type',
    async (found) => {
      const { letters } = await deliverOne({ originals: async () => found });

      expect(letters[0]).toMatchObject({ value: Buffer.from('decoded'), timestamp: 17 });
    },
  );

  test('waits, and the record with it, where Kafka cannot be asked', async () => {
    const { letters, parked, answer } = await deliverOne({
      originals: async () => {
        throw new Error('unreachable');
      },
    });

    expect([letters, parked]).toEqual([[], []]);
    expect(answer.batchItemFailures).toHaveLength(1);
  });

  test('leaves no connection behind', async () => {
    expect((await deliverOne({ originals: original(17) })).disconnects).toBe(1);
  });
});

describe('a letter', () => {
  test('says whose timestamp it has', async () => {
    const { letters } = await deliverOne({});

    const type = letters[0]?.headers.find(({ name }) => name === 'kafka_dlt-original-timestamp-type');
    expect(type?.value.toString()).toBe('LogAppendTime');
  });

  test('that the topic takes long to refuse still reaches the fallback queue', async () => {
    const { giveUps, parked, answer } = await deliverOne({ refusesAfterMs: 29_400 });

    expect(giveUps).toEqual([START + 29_400]);
    expect(parked).toHaveLength(1);
    expect(answer).toEqual({ batchItemFailures: [] });
  });
});

test.each([
  [7, 7],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [100, undefined],
  [undefined, undefined],
])('the ledger tells of a limit of dead letters in a row that is not the default: %s', async (limit, told) => {
  const { items } = await deliverOne(limit === undefined ? {} : { maxConsecutiveDeadLetters: limit });

  expect(items.at(-1)?.progress.consecutiveDeadLetters).toBe(1);
  expect(items.at(-1)?.progress.maxConsecutiveDeadLetters).toBe(told);
});
