import { createHash } from 'node:crypto';
import type { ErrorSummary } from './progress.ts';

/**
 * Twelve characters that are equal for errors with the same cause. Made of where the record failed, the error's name, and its
 * text without the parts that vary.
 */
export function fingerprint({ name, text, stage }: ErrorSummary): string {
  return createHash('sha256')
    .update(`${stage}\n${name}\n${withoutVariables(text)}`)
    .digest('hex')
    .slice(0, 12);
}

/** What varies from record to record, the widest patterns first. What is left still tells causes apart. */
const VARIABLES: readonly RegExp[] = [
  // Quoted values. An apostrophe inside a word does not open a quotation. A text that was cut may lack its closing quote.
  /"(?:[^"\\]|\\.)*["\\]?/gs,
  /`[^`]*(?:`|$)/g,
  /(?<!\w)'[^']*'(?!\w)/g,
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, // e-mail addresses
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, // uuids
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/g, // times
  /\b0x[0-9a-f]+\b/gi,
  /\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, // hex
  /\b(?=\w*\d[A-Za-z]+\d)\w{6,}\b/g, // letters and digits mixed: ids in base 36, 62, 64
  /\d+(?:[.,:]\d+)*/g, // numbers, also in names: S3 and EC2 stay apart as S# and EC#
];

function withoutVariables(text: string): string {
  const plain = VARIABLES.reduce((left, variable) => left.replace(variable, '#'), text);
  // The end of a long text is left out: there texts are cut, and lists of varying length end.
  return plain.replace(/\s+/g, ' ').trim().slice(0, 200);
}
