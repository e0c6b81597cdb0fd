import { latency } from '../common/latency.ts';
import type { Peer } from '../common/peer.ts';
import { middyConsumer } from './consumer.ts';

export const peer: Peer = {
  inMemory(keyedBy, latencyMs) {
    const orders = new Map<string, { readonly state: 'STARTED' | 'DONE'; readonly lockedUntil: number }>();
    const wait = latency(latencyMs);
    const handler = middyConsumer(keyedBy, {
      async take(id, lockedUntil) {
        await wait();
        const known = orders.get(id);
        if (known?.state === 'DONE') return 'done';
        if (known !== undefined && known.lockedUntil >= Date.now()) throw new Error(`${id} is being worked on`);
        orders.set(id, { state: 'STARTED', lockedUntil });
        return 'taken';
      },
      async done(id) {
        await wait();
        orders.set(id, { state: 'DONE', lockedUntil: 0 });
      },
      async giveBack(id) {
        await wait();
        orders.delete(id);
      },
    });
    return { handler: (event, context) => handler(event, context), forget: () => orders.clear() };
  },
};
