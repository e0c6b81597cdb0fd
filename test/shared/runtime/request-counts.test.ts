import type { Context } from 'aws-lambda';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { byPosition, json, type LockstepHandler, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import type { Ports } from '../../../shared/runtime/consumer.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { countingLedger } from '../../../shared/testing/counting-ledger-store.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';

/** What one request to the table takes, in virtual milliseconds: time over this is round trips. */
const ROUND_TRIP_MS = 10;

/** A table whose every request takes a round trip, and a function that uses it. The ports' contract: one call, one request. */
function aWorld() {
  const clock = new VirtualClock();
  const keyStore = fakeIdempotencyKeyStore();
  const fake = fakeLedgerStore({ keys: keyStore });
  const counting = countingLedger(fake);
  const parkedCalls = { look: 0, others: 0 };
  const keyCalls = { claim: 0, complete: 0, giveBack: 0 };
  const slowly = async <T>(request: () => Promise<T>): Promise<T> => {
    await clock.sleep(ROUND_TRIP_MS / 2);
    const answer = await request();
    await clock.sleep(ROUND_TRIP_MS / 2);
    return answer;
  };
  const keyed = <T>(name: keyof typeof keyCalls, request: () => Promise<T>): Promise<T> => {
    keyCalls[name]++;
    return slowly(request);
  };
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const refused = async () => {
    throw new Error('nothing was to be sent');
  };
  const ports: Ports = {
    ledger: {
      claim: (request) => slowly(() => counting.claim(request)),
      write: (request) => slowly(() => counting.write(request)),
      read: (partition) => slowly(() => counting.read(partition)),
    },
    parkedKeys: {
      look: (partition, wanted) => {
        parkedCalls.look++;
        return slowly(() => fake.parkedKeys.look(partition, wanted));
      },
      list: async () => Promise.reject(new Error('nobody lists')),
      read: async () => Promise.reject(new Error('nobody reads')),
      claim: async () => Promise.reject(new Error('nobody releases')),
    },
    keys: {
      claim: (requests) => keyed('claim', () => keyStore.claim(requests)),
      complete: (completions) => keyed('complete', () => keyStore.complete(completions)),
      giveBack: (returns) => keyed('giveBack', () => keyStore.giveBack(returns)),
    },
    letters: { publish: refused, disconnect: async () => undefined },
    fallback: { send: refused },
    producer: { produce: refused },
    clock,
    secret: fakeStackSecret,
    entropy: { random: () => 0.5, id: () => crypto.randomUUID() },
    telemetry: { log: quiet, count: () => {} },
    sandbox: new Sandbox(),
    endProcess: () => {},
    group: 'counts',
  };
  const invoke = (handler: LockstepHandler, offsets: readonly number[], partitions = 1) => {
    const deadline = clock.now() + 60_000;
    const records = Array.from({ length: partitions }, (_, partition) =>
      offsets.map((offset) => record({ partition, offset, value: { id: `${partition}-${offset}` } })),
    );
    const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => deadline - clock.now() } as Context;
    const connection = {
      ports,
      environment: { consumerGroup: 'counts', failureMode: 'report' as const },
      deployment: undefined,
      begin: () => {},
      flush: () => {},
    };
    const startedAt = clock.now();
    const answer = invokeWith(handler, connection, kafkaEvent(records.flat()), context);
    return clock.runUntilSettled(answer).then((response) => {
      expect(response).toEqual({ batchItemFailures: [] });
      return { roundTrips: (clock.now() - startedAt) / ROUND_TRIP_MS };
    });
  };
  return { clock, invoke, ledger: counting.counts, keys: keyCalls };
}

const value = json(v.object({ id: v.string() }));
const upTo = (count: number) => Array.from({ length: count }, (_, offset) => offset);

describe('by position', () => {
  const handler = lockstepConsumer({ value, idempotencyKey: byPosition, onRecord: () => {} });

  test.each([1, 100, 1_000])('a batch of %i records costs a claim and a commit', async (count) => {
    const { invoke, ledger, keys } = aWorld();

    const { roundTrips } = await invoke(handler, upTo(count));

    expect(ledger).toEqual({ claims: 1, writes: 1, reads: 0 });
    expect(keys).toEqual({ claim: 0, complete: 0, giveBack: 0 });
    expect(roundTrips).toBe(2);
  });

  test('three partitions of an event cost that each, side by side', async () => {
    const { invoke, ledger } = aWorld();

    const { roundTrips } = await invoke(handler, upTo(100), 3);

    expect(ledger).toEqual({ claims: 3, writes: 3, reads: 0 });
    expect(roundTrips).toBe(2);
  });

  test('what is settled costs two writes too when it comes again, and no handler', async () => {
    let runs = 0;
    const counting = lockstepConsumer({ value, idempotencyKey: byPosition, onRecord: () => void runs++ });
    const { invoke, ledger } = aWorld();

    await invoke(counting, upTo(100));
    await invoke(counting, upTo(100));

    expect(ledger).toEqual({ claims: 2, writes: 2, reads: 0 });
    expect(runs).toBe(100);
  });

  test('a batch that takes long costs one checkpoint each checkpointMs at most', async () => {
    const { clock, invoke, ledger } = aWorld();
    const slow = lockstepConsumer({
      value,
      idempotencyKey: byPosition,

      tuning: { checkpointMs: 500 },
      onRecord: () => clock.sleep(40),
    });

    // 100 records of 40 ms: 4 s, in which 8 checkpoints may begin.
    await invoke(slow, upTo(100));

    expect(ledger.claims).toBe(1);
    expect(ledger.writes).toBeGreaterThan(4);
    expect(ledger.writes).toBeLessThanOrEqual(1 + 8);
  });
});

describe('with idempotency keys', () => {
  const handler = lockstepConsumer({ value, idempotencyKey: (one) => one.value.id, onRecord: () => {} });

  test('100 fresh records on one partition take four round trips: claim, keys, their completions, commit', async () => {
    const { invoke, ledger, keys } = aWorld();

    const { roundTrips } = await invoke(handler, upTo(100));

    expect(roundTrips).toBeLessThanOrEqual(4);
    expect(ledger).toEqual({ claims: 1, writes: 1, reads: 0 });
    expect(keys).toEqual({ claim: 1, complete: 1, giveBack: 0 });
  });

  test('100 duplicates at other positions take one call for their keys, and change none of them', async () => {
    const { invoke, ledger, keys } = aWorld();
    const sameIds = lockstepConsumer({
      value,
      idempotencyKey: ({ offset }) => String(offset % 100),
      onKeyReuse: 'skip',
      onRecord: () => {},
    });
    await invoke(sameIds, upTo(100));
    const before = { ...keys };

    const { roundTrips } = await invoke(
      sameIds,
      upTo(100).map((offset) => offset + 100),
    );

    expect(before).toEqual({ claim: 1, complete: 1, giveBack: 0 });
    expect(keys).toEqual({ claim: 2, complete: 1, giveBack: 0 });
    expect(ledger).toEqual({ claims: 2, writes: 2, reads: 0 });
    expect(roundTrips).toBe(3);
  });
});
