import { holderOf } from '../../../shared/connection.ts';
import type { Peer } from '../common/peer.ts';
import { connectionInMemory } from './connection-in-memory.ts';
import { ordersConsumer } from './consumer.ts';

export const peer: Peer = {
  inMemory(keyedBy, latencyMs) {
    const handler = ordersConsumer(keyedBy);
    const holder = holderOf(handler);
    let connection = connectionInMemory(latencyMs);
    return {
      handler: async (event, context) => {
        const answer = await holder?.during(connection, () => handler(event, context));
        if (answer === undefined) throw new Error('lockstepConsumer made a handler without a connection');
        return answer;
      },
      forget: () => {
        connection = connectionInMemory(latencyMs);
      },
    };
  },
};
