import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { invokeWith } from '../../../shared/connection.ts';
import { byPosition, json, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import { DeliveryWorld } from '../../../shared/testing/delivery-world.ts';
import { kafkaEvent, record } from '../../../shared/testing/record.ts';

test('parts of an event that name the same partition are claimed one after the other, never taken for each other', async () => {
  const handled: number[] = [];
  const handler = lockstepConsumer({
    value: json(),
    idempotencyKey: byPosition,
    onRecord: ({ offset }) => void handled.push(offset),
  });
  const world = new DeliveryWorld({});
  const event = kafkaEvent([record({ offset: 0 })]);
  const twice = {
    ...event,
    records: { ...event.records, again: kafkaEvent([record({ offset: 1 })]).records['orders-0'] ?? [] },
  };

  const deliver = async () => {
    const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 } as Context;
    return world.clock.runUntilSettled(invokeWith(handler, world.newProcess(), twice, context));
  };

  expect(await deliver()).toEqual({ batchItemFailures: [] });
  expect(await deliver()).toEqual({ batchItemFailures: [] });
  expect(handled).toEqual([0, 1]);
});
