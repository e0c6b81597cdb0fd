/** What a user's values are inferred as. Checked by the compiler: `inference.test.ts` runs it over this file, and so does `npm run build:types`. */
import type { MiddlewareObj, Request } from '@middy/core';
import * as v from 'valibot';
import { expectTypeOf } from 'vitest';
import { LockstepConsumer, type LockstepConsumerProps, type MskCluster } from '../../public/cdk.ts';
import { deliver, record } from '../../public/testing.ts';
import {
  byPosition,
  bytes,
  type ConsumerRecord,
  json,
  type LockstepHandler,
  lockstepConsumer,
  type RecordContext,
  text,
} from '../../shared/lockstep-consumer.ts';

const Order = v.object({ orderId: v.string(), placedAt: v.pipe(v.string(), v.toDate()) });

// The handler sees what the schema puts out, not what it takes in; no type is written by the user.
export const handler = lockstepConsumer({
  value: json(Order),
  idempotencyKey: (record) => {
    expectTypeOf(record).toEqualTypeOf<ConsumerRecord<{ orderId: string; placedAt: Date }>>();
    return record.value.orderId;
  },
  onRecord: ({ value, key }, context) => {
    expectTypeOf(value).toEqualTypeOf<{ orderId: string; placedAt: Date }>();
    expectTypeOf(key).toEqualTypeOf<string | null>();
    expectTypeOf(context).toEqualTypeOf<RecordContext>();
    expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(context.attempt).toEqualTypeOf<number>();
  },
});

lockstepConsumer({
  value: json(Order),
  idempotencyKey: byPosition,
  onBatch: (records) => {
    expectTypeOf(records).toEqualTypeOf<readonly ConsumerRecord<{ orderId: string; placedAt: Date }>[]>();
  },
});

// Without a schema nothing is promised; a tombstone is `null`.
lockstepConsumer({
  value: json(),
  idempotencyKey: byPosition,
  onRecord: ({ value }) => {
    expectTypeOf(value).toEqualTypeOf<unknown>();
  },
});
lockstepConsumer({
  value: text,
  idempotencyKey: byPosition,
  onRecord: ({ value }) => {
    expectTypeOf(value).toEqualTypeOf<string | null>();
  },
});
lockstepConsumer({
  value: bytes,
  idempotencyKey: byPosition,
  onRecord: ({ value }) => {
    expectTypeOf(value).toEqualTypeOf<Buffer | null>();
  },
});

// A decoder of the user's own.
lockstepConsumer({
  value: { decode: ({ key }) => Number(key) },
  idempotencyKey: byPosition,
  onRecord: ({ value }) => {
    expectTypeOf(value).toEqualTypeOf<number>();
  },
});

// What is missing, misspelled or of another type is an error.
// @ts-expect-error -- no key, and no `byPosition`
lockstepConsumer({ value: text, onRecord: () => {} });
// @ts-expect-error -- a number is no key
lockstepConsumer({ value: json(Order), idempotencyKey: ({ value }) => value.placedAt.getTime(), onRecord: () => {} });
// @ts-expect-error -- there is no such option
lockstepConsumer({ value: text, idempotencyKey: byPosition, onRecord: () => {}, retries: 3 });
// @ts-expect-error -- the schema knows no `amount`
lockstepConsumer({ value: json(Order), idempotencyKey: byPosition, onRecord: ({ value }) => value.amount });

// @ts-expect-error -- neither onRecord nor onBatch
lockstepConsumer({ value: text, idempotencyKey: byPosition });
// @ts-expect-error -- both
lockstepConsumer({ value: text, idempotencyKey: byPosition, onRecord: () => {}, onBatch: () => {} });
// @ts-expect-error -- onBatch has calls of one partition
lockstepConsumer({ value: text, idempotencyKey: byPosition, maxConcurrency: 5, onBatch: () => {} });
// @ts-expect-error -- an answer of its own would be ignored
lockstepConsumer({ value: text, idempotencyKey: byPosition, onRecord: () => ({ batchItemFailures: [] }) });
// @ts-expect-error -- nobody would await them
lockstepConsumer({ value: text, idempotencyKey: byPosition, onBatch: (records) => records.map(async () => {}) });
// @ts-expect-error -- a number would be ignored
lockstepConsumer({ value: text, idempotencyKey: byPosition, onRecord: async () => 5 });
// @ts-expect-error -- a schema is no decoder
lockstepConsumer({ value: Order, idempotencyKey: byPosition, onRecord: () => {} });
lockstepConsumer({
  value: json(Order),
  idempotencyKey: ({ value }) => value.orderId,
  onKeyReuse: { compare: ({ value }) => value.placedAt },
  tuning: { checkpointMs: 'record' },
  onRecord: (_, { transact, produce }) => {
    transact({ Put: { TableName: 'orders', Item: { id: { S: '1' } } } });
    // @ts-expect-error -- there is no such action
    transact({ Upddate: { TableName: 'orders' } });
    // @ts-expect-error -- a number is not encoded
    produce('next', { value: 5 });
  },
});

// Any middy middleware fits, and the handler stays one.
declare const anyEvent: { before: (request: Request) => void };
declare const kafkaEvents: MiddlewareObj<{ readonly records: object }, unknown>;
declare const httpEvents: MiddlewareObj<{ readonly httpMethod: string; readonly body: string }, unknown>;
expectTypeOf(handler.use(anyEvent).use([kafkaEvents, anyEvent])).toEqualTypeOf<LockstepHandler>();
// @ts-expect-error -- it reads another event
handler.use(httpEvents);

// A test's results.
export async function aTest(): Promise<void> {
  const { outcomes, deadLetters, effects } = await deliver(handler, [record({ key: 'a', value: { orderId: 'o-1' } })]);
  expectTypeOf(outcomes['orders-0@0']).toEqualTypeOf<
    'handled' | 'duplicate' | 'deadLettered' | 'parked' | 'retry' | 'notAttempted' | undefined
  >();
  expectTypeOf(deadLetters[0]?.value).toEqualTypeOf<Buffer | null | undefined>();
  expectTypeOf(effects).toExtend<readonly object[]>();
}

// A cluster of ours is a cluster; what the construct decides cannot be set beside it.
export function aStack(scope: ConstructorParameters<typeof LockstepConsumer>[0], cluster: MskCluster): void {
  const props = { cluster, topic: 'orders', entry: 'orders.ts' } satisfies LockstepConsumerProps;
  const consumer = new LockstepConsumer(scope, 'Orders', props);
  expectTypeOf(consumer.failureQueue).extract<undefined>().toBeUndefined();
  // @ts-expect-error -- the handler's code is the construct's
  new LockstepConsumer(scope, 'Orders', { ...props, functionProps: { handler: 'mine.handler' } });
  // @ts-expect-error -- a name without a cluster
  new LockstepConsumer(scope, 'Orders', { topic: 'orders', entry: 'orders.ts' });
}
