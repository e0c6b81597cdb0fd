import { PauseError } from '../../shared/lockstep-consumer.ts';
import { retryAfterMs } from '../retry-after.ts';
import type { Payment } from './payment.ts';

/** Charges a payment. A repeated call charges it only once. */
export type Charge = (payment: Payment, signal: AbortSignal) => Promise<void>;

/**
 * Charges over HTTP. The payment's id is sent as `Idempotency-Key`, so that a repeated call charges once.
 *
 * @throws PauseError where the API is overloaded, for the time that it asks for
 * @throws any other error: the payment is tried again until it succeeds, and later ones wait
 */
export function chargeOverHttp(url: string | undefined, send: typeof fetch = fetch): Charge {
  return async (payment, signal) => {
    if (!url) throw new Error('PAYMENT_API_URL is not set');
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': payment.paymentId },
      body: JSON.stringify(payment),
      signal,
    });
    await response.body?.cancel();
    if (response.ok) return;
    if (response.status === 429 || response.status === 503)
      throw new PauseError({ resumeAfterMs: retryAfterMs(response) });
    throw new Error(`the payment API answered ${response.status}`);
  };
}
