import CliTable3 from 'cli-table3';
import { PROMISES, type PromiseName } from './evidence.ts';
import { DRAWN_FAULTS, STAGED_FAULTS } from './faults.ts';
import type { ReadingResult } from './run-reading.ts';

/** What became of the promises, and the faults they were kept under: a column each reading. */
export function chaosTable(results: readonly ReadingResult[]): string {
  const style = { head: [], border: process.stdout.isTTY ? ['grey'] : [], compact: true };
  const head = (title: string) => [title, ...results.map(({ reading }) => reading)];
  const colAligns: ('left' | 'right')[] = ['left', ...results.map(() => 'right' as const)];
  const promises = new CliTable3({ head: head('Promises broken'), style, colAligns });
  for (const [name, title] of Object.entries(PROMISES) as [PromiseName, string][])
    promises.push([title, ...results.map(({ findings }) => findings.filter(({ promise }) => promise === name).length)]);
  const faults = new CliTable3({ head: head('Survived'), style, colAligns });
  const row = (title: string, of: (result: ReadingResult) => number) => faults.push([title, ...results.map(of)]);
  row('records', ({ records }) => records);
  row('letters', ({ letters }) => letters);
  row('handled again, within the window', ({ repeats }) => repeats);
  row('DynamoDB requests', ({ ledgerRequests }) => ledgerRequests);
  for (const [name, { what }] of Object.entries(STAGED_FAULTS) as [keyof typeof STAGED_FAULTS, { what: string }][])
    row(what, ({ counts }) => counts[name]);
  for (const [name, what] of Object.entries(DRAWN_FAULTS) as [keyof typeof DRAWN_FAULTS, string][])
    row(what, ({ counts }) => counts[name]);
  row('seconds', ({ seconds }) => Math.round(seconds));
  return `${promises.toString()}\n${faults.toString()}`;
}

/** The offending records, by reading and promise, the first of each. */
export function chaosFindings(results: readonly Pick<ReadingResult, 'reading' | 'findings'>[], most = 10): string[] {
  return results.flatMap(({ reading, findings }) =>
    Object.entries(Object.groupBy(findings, ({ promise }) => promise)).flatMap(([promise, broken = []]) => [
      `${PROMISES[promise as PromiseName]}, under the reading ${reading}:`,
      ...broken.slice(0, most).map(({ text }) => `  ${text}`),
      ...(broken.length > most ? [`  … and ${broken.length - most} more`] : []),
    ]),
  );
}
