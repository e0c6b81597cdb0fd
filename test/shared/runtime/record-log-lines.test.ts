import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { LockstepError } from '../../../shared/errors.ts';
import { byPosition, lockstepConsumer, type OnRecord, PauseError, text } from '../../../shared/lockstep-consumer.ts';
import type { LogFields } from '../../../shared/ports/telemetry.ts';
import type { Ports } from '../../../shared/runtime/consumer.ts';
import { Sandbox } from '../../../shared/runtime/sandbox.ts';
import { failAfterDeath } from '../../../shared/testing/fail-after-death.ts';
import { fakeIdempotencyKeyStore } from '../../../shared/testing/fake-idempotency-key-store.ts';
import { fakeLedgerStore } from '../../../shared/testing/fake-ledger-store.ts';
import { fakeStackSecret } from '../../../shared/testing/fake-stack-secret.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';
import { VirtualClock } from '../../../shared/testing/virtual-clock.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** One line that was logged. */
type Line = readonly [level: string, text: string, fields: LogFields | undefined];

/** A table, and processes on it that may die; each takes the same two records. */
function aWorld(onRecord: OnRecord<string | null>, more: Partial<Ports> = {}) {
  const clock = new VirtualClock();
  const keys = fakeIdempotencyKeyStore();
  const ledger = fakeLedgerStore({ keys });
  const lines: Line[] = [];
  const log = (level: string) => (words: string, fields?: LogFields) => void lines.push([level, words, fields]);
  const handler = lockstepConsumer({ value: text, idempotencyKey: byPosition, retry: { maxAttempts: 1 }, onRecord });
  let count = 0;
  const invoke = () => {
    const requestId = `request-${++count}`;
    let alive = true;
    const deadline = clock.now() + 60_000;
    const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => deadline - clock.now() } as Context;
    const living = <T extends object>(port: T) => failAfterDeath(port, () => alive);
    const ports: Ports = {
      ledger: living(ledger),
      parkedKeys: living(ledger.parkedKeys),
      keys: living(keys),
      letters: { publish: async () => undefined, disconnect: async () => undefined },
      fallback: { send: async () => undefined },
      producer: { produce: async () => undefined },
      clock: living(clock),
      secret: fakeStackSecret,
      entropy: { random: () => 0.5, id: () => `owner-${count}` },
      telemetry: {
        log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
        count: () => {},
      },
      sandbox: new Sandbox(),
      endProcess: () => {},
      group: 'billing',
      ...more,
    };
    const connection = {
      ports,
      environment: { consumerGroup: 'billing', failureMode: 'report' as const },
      deployment: undefined,
      begin: () => {},
      flush: () => {},
    };
    const event = kafkaEvent([
      record({ value: Buffer.from('first'), headers: { traceparent: TRACEPARENT } }),
      record({ value: Buffer.from('second') }),
    ]);
    const answer = invokeWith(handler, connection, event, context);
    return {
      answer: () => clock.runUntilSettled(answer),
      die: () => {
        alive = false;
      },
    };
  };
  return { clock, lines, invoke };
}

const never = () => new Promise<void>(() => {});

test('a handler that never ends is named, with its record', async () => {
  const { lines, invoke } = aWorld(never);

  await invoke().answer();

  const [, , fields] = lines.find(([, , about]) => about?.['error'] instanceof LockstepError) ?? [];
  expect(lines.map(([level, words]) => [level, words])).toEqual([['error', 'a record handler never ended']]);
  expect(fields).toMatchObject({
    topic: 'orders',
    partition: 0,
    offset: 0,
    attempt: 1,
    requestId: 'request-1',
    traceparent: TRACEPARENT,
    interruptions: 1,
  });
  expect(fields?.['error']).toMatchObject({
    code: 'HANDLER_NEVER_ENDED',
    message: expect.stringContaining('the handler of orders-0@0 was still running when the invocation had to answer'),
  });
});

test('a record whose handler killed the process is named by the process that comes after', async () => {
  let die = () => {};
  const { clock, lines, invoke } = aWorld(async () => {
    die();
    await never();
  });
  // The first death is nobody's; from the second on it is known in whose handler it was.
  for (const _ of [1, 2]) {
    const { die: kill } = invoke();
    die = kill;
    await clock.advance(20_000);
  }
  die = invoke().die;
  await clock.advance(1_000);

  expect(lines).toContainEqual([
    'warn',
    'the process died in the handler of a record',
    {
      topic: 'orders',
      partition: 0,
      offset: 0,
      attempt: 1,
      interruptions: 1,
      requestId: 'request-3',
      traceparent: TRACEPARENT,
    },
  ]);
});

test('a pause is named, with the record that asked for it', async () => {
  const { clock, lines, invoke } = aWorld(() => {
    throw new PauseError({ resumeAfterMs: 30_000 });
  });
  const startedAt = clock.now();

  await invoke().answer();

  expect(lines).toEqual([
    [
      'info',
      'a handler paused its partition',
      {
        topic: 'orders',
        partition: 0,
        offset: 0,
        attempt: 1,
        requestId: 'request-1',
        traceparent: TRACEPARENT,
        until: startedAt + 30_000,
      },
    ],
  ]);
});

test('a record whose original is gone from Kafka is named', async () => {
  const { lines, invoke } = aWorld(
    ({ value }) => {
      if (value === 'first') throw new Error('no');
    },
    { originals: { read: async () => ({ type: 'absent' }), disconnect: async () => undefined } },
  );

  await invoke().answer();

  expect(lines).toContainEqual([
    'warn',
    'Kafka does not hold the original bytes any more; the dead letter has the value that Lambda delivered',
    {
      topic: 'orders',
      partition: 0,
      offset: 0,
      attempt: 1,
      found: 'absent',
      requestId: 'request-1',
      traceparent: TRACEPARENT,
    },
  ]);
});
