import { LockstepError } from '../shared/errors.ts';
import type { Said } from './messages.ts';

/** An error as a page shows it. */
export function saidOf(error: unknown): Said {
  if (error instanceof LockstepError) return { code: error.code, message: error.message };
  if (error instanceof Error) return { code: error.name, message: error.message };
  return { code: 'UNEXPECTED', message: String(error) };
}
