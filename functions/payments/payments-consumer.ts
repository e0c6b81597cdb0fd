import { json, type LockstepHandler, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import type { Charge } from './charge.ts';
import { Payment } from './payment.ts';

/** The consumer of payments over what it reaches: tests give it fakes. */
export function paymentsConsumer(charge: Charge): LockstepHandler {
  return lockstepConsumer({
    value: json(Payment),
    idempotencyKey: ({ value }) => value.paymentId,
    retry: { maxAttempts: Number.POSITIVE_INFINITY },
    onRecord: ({ value }, { signal }) => charge(value, signal),
  });
}
