import { connectRelay } from '../../shared/relay/connect-relay.ts';
import { lockstepRelay } from '../../shared/relay/lockstep-relay.ts';

export const handler = lockstepRelay(connectRelay);
