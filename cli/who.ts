import { hostname, userInfo } from 'node:os';

/** Who changes something, as the ledger and the markers keep it. */
export function whoAmI(): string {
  return process.env['LOCKSTEP_OPERATOR'] ?? `${userInfo().username}@${hostname()}`;
}
