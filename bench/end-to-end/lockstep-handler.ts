import { byPosition, bytes, lockstepConsumer } from '../../shared/lockstep-consumer.ts';
import { effectAt } from './effect.ts';
import { HandledCounter } from './handled.ts';

const effect = effectAt(process.env['EFFECTS_ENDPOINT']);
const handled = new HandledCounter();

export const handler = lockstepConsumer({
  value: bytes,
  idempotencyKey: byPosition,
  onRecord: async ({ position, timestamp }) => {
    await effect(position);
    handled.add(timestamp);
  },
}).use({ after: () => console.log(JSON.stringify({ benchHandled: handled.take() })) });
