import { json, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { chargeOverHttp } from './charge.ts';
import { Payment } from './payment.ts';

const charge = chargeOverHttp(process.env['PAYMENT_API_URL']);

export const handler = lockstepConsumer({
  value: json(Payment),
  idempotencyKey: ({ value }) => value.paymentId,
  retry: { maxAttempts: Number.POSITIVE_INFINITY },
  onRecord: ({ value }, { signal }) => charge(value, signal),
});
