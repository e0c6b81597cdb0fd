import { cutText } from './cut-text.ts';
import type { ErrorSummary, Stage } from './progress.ts';
import { causeChain, readThrown, type Thrown } from './thrown.ts';

/**
 * The most bytes that a blocked record keeps of an error's name and of its text. 200 blocked records fit an item with room to
 * spare.
 */
const MAX_NAME_BYTES = 128;
export const MAX_TEXT_BYTES = 512;

/** How many errors of an AggregateError are quoted. */
const MAX_ERRORS = 3;
/** A text is cut before it is redacted only where it is very long: a cut may hide half of a secret from the redactor. */
const MAX_REDACTED = 262_144;

/** Takes secrets out of a text. Only a consumer with this option gets messages that may quote a record's value. */
export type Redact = (text: string) => string;

/**
 * Reads any thrown value: its name, its text and the texts of its causes, redacted, then cut. Never throws, whatever was thrown
 * and whatever `redact` does. A text that could not be redacted is left out.
 */
export function summarizeError(error: unknown, stage: Stage, redact: Redact | undefined): ErrorSummary {
  const { name } = readThrown(error, redact !== undefined);
  return {
    name: cutText(redacted(name, redact), MAX_NAME_BYTES) || 'Error',
    text: cutText(redacted(tell(error, redact !== undefined), redact), MAX_TEXT_BYTES),
    stage,
  };
}

/** The stack of a thrown value with those of its causes, redacted. Empty where there is none. Never throws. */
export function stackOf(error: unknown, redact: Redact | undefined): string {
  const stacks: string[] = [];
  for (const [depth, { stack, name, text }] of causeChain(error, redact !== undefined).entries()) {
    if (stack !== undefined) stacks.push(stack);
    else if (depth > 0) stacks.push(`${name}: ${text}`);
  }
  return redacted(stacks.join('\nCaused by: '), redact);
}

/** `refused (caused by FetchError: fetch failed (caused by Error: connect ECONNREFUSED))` */
function tell(error: unknown, quoting: boolean): string {
  const [first = '', ...rest] = causeChain(error, quoting).map((thrown, depth) =>
    depth === 0 ? withErrors(thrown, quoting) : named(thrown, quoting),
  );
  const causes = rest.reduceRight((inner, text) => (inner === '' ? text : `${text} (caused by ${inner})`), '');
  return causes === '' ? first : `${first} (caused by ${causes})`.trimStart();
}

function named(thrown: Thrown, quoting: boolean): string {
  const text = withErrors(thrown, quoting);
  return text === '' ? thrown.name : `${thrown.name}: ${text}`;
}

function withErrors({ text, errors }: Thrown, quoting: boolean): string {
  if (errors.length === 0) return text;
  const texts = errors.slice(0, MAX_ERRORS).map((error) => {
    const { name, text: inner } = readThrown(error, quoting);
    return inner === '' ? name : `${name}: ${inner}`;
  });
  const more = errors.length > MAX_ERRORS ? `; and ${errors.length - MAX_ERRORS} more` : '';
  return `${text}${text === '' ? '' : ' '}[${texts.join('; ')}${more}]`;
}

function redacted(text: string, redact: Redact | undefined): string {
  if (redact === undefined) return text;
  try {
    const result: unknown = redact(text.slice(0, MAX_REDACTED));
    return typeof result === 'string' ? result : '';
  } catch {
    return '';
  }
}
