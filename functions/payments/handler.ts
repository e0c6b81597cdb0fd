import { chargeOverHttp } from './charge.ts';
import { paymentsConsumer } from './payments-consumer.ts';

export const handler = paymentsConsumer(chargeOverHttp(process.env['PAYMENT_API_URL']));
