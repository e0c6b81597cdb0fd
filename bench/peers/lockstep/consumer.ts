import { byPosition, json, type LockstepHandler, lockstepConsumer } from '../../../shared/lockstep-consumer.ts';
import { applyOrder, type Order } from '../common/order.ts';
import type { KeyedBy } from '../common/peer.ts';

/** A failed record is tried once and the answer does not wait, as with the others. All other options are defaults. */
export function ordersConsumer(keyedBy: KeyedBy): LockstepHandler {
  return lockstepConsumer({
    value: json(),
    idempotencyKey: keyedBy === 'position' ? byPosition : ({ value }) => (value as Order).orderId,
    retry: { inlineRetries: 0 },

    tuning: { haltedAnswerDelayMs: 0, blockedAnswerDelayMs: 0 },
    onRecord: ({ value }) => applyOrder(value as Order),
  });
}
