import { lockstepRelay } from '../../shared/relay/lockstep-relay.ts';

export const handler = lockstepRelay(async () => {
  const { connectRelay } = await import('../../shared/relay/connect-relay.ts');
  return connectRelay();
});
