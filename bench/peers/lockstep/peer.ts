import { invokeWith } from '../../../shared/connection.ts';
import type { Peer } from '../common/peer.ts';
import { connectionInMemory } from './connection-in-memory.ts';
import { ordersConsumer } from './consumer.ts';

export const peer: Peer = {
  inMemory(keyedBy, latencyMs) {
    const handler = ordersConsumer(keyedBy);
    let connection = connectionInMemory(latencyMs);
    return {
      handler: (event, context) => invokeWith(handler, connection, event, context),
      forget: () => {
        connection = connectionInMemory(latencyMs);
      },
    };
  },
};
