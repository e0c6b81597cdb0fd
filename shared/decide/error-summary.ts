import { createHash } from 'node:crypto';
import type { ErrorSummary, Stage } from './progress.ts';

/** What a head keeps of an error's text, in characters. */
const MAX_TEXT = 512;

/** Reads any thrown value: name and text, redacted and cut. Never throws, whatever was thrown. */
export function summarizeError(error: unknown, stage: Stage, redact: (text: string) => string): ErrorSummary {
  return {
    name: read(() => nameOf(error)) || 'Error',
    text: read(() => redact(textOf(error)).slice(0, MAX_TEXT)),
    stage,
  };
}

/** The stack of a thrown value, causes included; redacted. Empty where there is none. */
export function stackOf(error: unknown, redact: (text: string) => string): string {
  const stacks: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    const { stack, cause } = current;
    stacks.push(stack ?? String(current));
    current = cause;
  }
  return read(() => redact(stacks.join('\nCaused by: ')));
}

/** Equal for errors of one cause: ids, numbers, quoted values and times are taken out. Twelve characters. */
export function fingerprint({ name, text, stage }: ErrorSummary): string {
  const plain = text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '#')
    .replace(/\b[\w.+-]+@[\w-]+\.[\w.]+\b/g, '#')
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '#')
    .replace(/\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b/gi, '#')
    .replace(/\d+/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
  return createHash('sha256').update(`${stage}\n${name}\n${plain}`).digest('hex').slice(0, 12);
}

function nameOf(error: unknown): string {
  if (error instanceof Error) return error.name;
  return typeof error === 'object' && error !== null ? 'Object' : typeof error;
}

function textOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'object' && error !== null ? JSON.stringify(error) : String(error);
}

/** Getters of what was thrown may throw themselves. */
function read(get: () => string): string {
  try {
    return get();
  } catch {
    return '';
  }
}
