import { readFileSync } from 'node:fs';

/** The last lines of a log file. */
export function lastLinesOf(file: string, count: number): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}
