import { hostname, userInfo } from 'node:os';

/** The name of the user who changes something, for the ledger and for markers. */
export function whoAmI(): string {
  return process.env['LOCKSTEP_OPERATOR'] ?? `${userInfo().username}@${hostname()}`;
}
