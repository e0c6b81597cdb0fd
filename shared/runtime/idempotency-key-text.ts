import { createHmac, hash } from 'node:crypto';
import { LockstepError } from '../errors.ts';
import { isThenable } from '../record/decode.ts';
import { HASH_LENGTH, shortHash } from '../record/value-hash.ts';

/**
 * `key#<namespace>#<sha-256 of the idempotency key>`; `key#<namespace>#json:<sha-256>` of one with half a character, which UTF-8
 * has not, as JSON writes it. With a secret `key#<namespace>#hmac:<HMAC>`: who reads the table cannot find a key by guessing.
 */
export function ledgerKeyOfIdempotencyKey(namespace: string, idempotencyKey: string, secret?: Buffer): string {
  if (secret !== undefined) return `key#${namespace}#hmac:${hmac(secret, JSON.stringify(idempotencyKey), 'hex')}`;
  return idempotencyKey.isWellFormed()
    ? `key#${namespace}#${hash('sha256', idempotencyKey)}`
    : `key#${namespace}#json:${hash('sha256', JSON.stringify(idempotencyKey))}`;
}

/** A hash of what must be equal where keys are, which says nothing to who has not the secret. Its form stays. */
export function keyedContentHash(contentHash: string, secret: Buffer): string {
  const form = contentHash.slice(0, Math.max(0, contentHash.length - HASH_LENGTH));
  return `${form}${hmac(secret, contentHash, 'base64url').slice(0, HASH_LENGTH)}`;
}

/** The secret also signs letters: the first line tells what is hashed here from what is signed there. */
function hmac(secret: Buffer, text: string, encoding: 'hex' | 'base64url'): string {
  return createHmac('sha256', secret).update(`key\n${text}`).digest(encoding);
}

/**
 * Checks what `idempotencyKey` returned. `0` and `false` are valid keys.
 *
 * @throws LockstepError IDEMPOTENCY_KEY_EMPTY, IDEMPOTENCY_KEY_INVALID naming the record, and nothing of the key
 */
export function idempotencyKeyText(returned: unknown, position: string): string {
  if (returned === undefined || returned === null || returned === '')
    throw new LockstepError(
      'IDEMPOTENCY_KEY_EMPTY',
      `idempotencyKey of ${position} returned ${returned === '' ? 'an empty string' : String(returned)}, expected a non-empty string`,
    );
  const fault = faultOf(returned);
  if (fault === undefined) return String(returned);
  throw new LockstepError('IDEMPOTENCY_KEY_INVALID', `idempotencyKey of ${position} returned ${fault}`);
}

/** The text that a template string makes of an absent field, between separators. */
const ABSENT = /(?:^|[^\p{L}\p{N}])(?:undefined|null|NaN|\[object \w+\])(?:$|[^\p{L}\p{N}])/u;

/** Why two different records could have this key by mistake. */
function faultOf(returned: unknown): string | undefined {
  switch (typeof returned) {
    case 'string':
      if (returned.trim() === '') return 'blanks, expected a string that names what the record does';
      return ABSENT.test(returned)
        ? 'a text with undefined, null or NaN in it, as of a field that is absent'
        : undefined;
    case 'number':
      if (!Number.isFinite(returned)) return 'NaN or Infinity, expected a string';
      return Math.abs(returned) > Number.MAX_SAFE_INTEGER
        ? 'a number beyond 2^53, which JSON rounds: several orders would have one key'
        : undefined;
    case 'boolean':
    case 'bigint':
      return undefined;
    case 'object':
      if (!isPromise(returned)) return 'an object, expected a string';
      // Nothing awaits this promise, so its rejection is caught here.
      Promise.resolve(returned).catch(() => undefined);
      return 'a promise, expected a string: it cannot be asynchronous';
    default:
      return `a ${typeof returned}, expected a string`;
  }
}

function isPromise(value: unknown): boolean {
  try {
    return isThenable(value);
  } catch {
    return false;
  }
}

/**
 * A hash of the part of a record that `onKeyReuse.compare` returns. Equal for equal content, whatever the order of its fields.
 *
 * @throws LockstepError IDEMPOTENCY_KEY_INVALID where `compare` returns nothing. Content that JSON cannot hold throws, too.
 */
export function comparedHash(compared: unknown, position: string): string {
  const text = JSON.stringify(compared, (_, member: unknown) => {
    if (typeof member === 'bigint') return `${member}n`;
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  if (text === undefined)
    throw new LockstepError('IDEMPOTENCY_KEY_INVALID', `onKeyReuse.compare of ${position} returned undefined`);
  // It has a prefix: a hash of a part cannot be compared with a hash of the whole value.
  return `C${shortHash(Buffer.from(text).toString('base64'))}`;
}
