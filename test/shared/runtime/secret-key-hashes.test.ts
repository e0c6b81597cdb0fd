import { expect, test } from 'vitest';
import { json, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import { deliver } from '../../../shared/testing/deliver.ts';
import { record } from '../../../shared/testing/record.ts';

test.each([false, true])(
  'a key that comes again is known, and one that is used for another value too: hashKeysWithSecret %s',
  async (hashKeysWithSecret) => {
    const handled: unknown[] = [];
    const handler = lockstepConsumer<{ orderId: string; amount: number }>({
      value: json() as never,
      idempotencyKey: ({ value }) => value.orderId,
      hashKeysWithSecret,
      onRecord: ({ value }) => void handled.push(value),
    });
    const { outcomes, deadLetters } = await deliver(handler, [
      record({ partition: 0, value: { orderId: 'a', amount: 1 } }),
      record({ partition: 0, value: { orderId: 'a', amount: 1 } }),
      record({ partition: 0, value: { orderId: 'a', amount: 2 } }),
    ]);

    expect(Object.values(outcomes)).toEqual(['handled', 'duplicate', 'deadLettered']);
    expect(handled).toEqual([{ orderId: 'a', amount: 1 }]);
    expect(deadLetters).toHaveLength(1);
  },
);
