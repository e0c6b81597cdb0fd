import { NonRetryableError, PauseError } from '../../shared/lockstep-consumer.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { CreditCheck } from './apply-order.ts';

/** Asks the credit service over HTTP; without a URL every customer passes. */
export function creditCheck(url: string | undefined): CreditCheck {
  if (!url) return async () => undefined;
  return async ({ orderId, customerId, amount }, signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ orderId, customerId, amount }),
      signal,
    });
    if (response.ok) return;
    if (response.status === 422)
      throw new NonRetryableError('the credit service refused the order', { code: 'ORDER_CREDIT_REFUSED' });
    if (response.status === 429) throw new PauseError({ resumeAfterMs: retryAfterMs(response) });
    throw new Error(`credit service answered ${response.status}`);
  };
}
