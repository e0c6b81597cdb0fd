import type { Peer } from '../common/peer.ts';
import { bareConsumer } from './consumer.ts';

export const peer: Peer = {
  inMemory: () => ({
    handler: (event) => bareConsumer(event).catch(() => ({ batchItemFailures: [] })),
    forget: () => undefined,
  }),
};
