import { hash } from 'node:crypto';
import { LockstepError } from '../errors.ts';

/**
 * `key#<namespace>#<sha-256 of the idempotency key>`; `key#<namespace>#json:<sha-256>` of one with half a character, which UTF-8
 * has not, as JSON writes it.
 */
export function ledgerKeyOfIdempotencyKey(namespace: string, idempotencyKey: string): string {
  return idempotencyKey.isWellFormed()
    ? `key#${namespace}#${hash('sha256', idempotencyKey)}`
    : `key#${namespace}#json:${hash('sha256', JSON.stringify(idempotencyKey))}`;
}

/**
 * Reads what `idempotencyKey` returned. `0` and `false` are values, not absences.
 *
 * @throws LockstepError IDEMPOTENCY_KEY_EMPTY naming the record
 */
export function idempotencyKeyText(returned: unknown, position: string): string {
  if (typeof returned === 'string' && returned !== '') return returned;
  if (typeof returned === 'number' || typeof returned === 'boolean' || typeof returned === 'bigint')
    return String(returned);
  const got =
    returned === ''
      ? 'an empty string'
      : returned === null || returned === undefined
        ? String(returned)
        : `a value of type ${typeof returned}`;
  throw new LockstepError(
    'IDEMPOTENCY_KEY_EMPTY',
    `idempotencyKey of ${position} returned ${got}, expected a non-empty string`,
  );
}
