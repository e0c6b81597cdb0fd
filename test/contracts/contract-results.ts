import Table from 'cli-table3';
import { test } from 'vitest';

/** States one clause of a contract and shows that it holds. */
export type Clause = (sentence: string, show: () => Promise<void>) => void;

/** Which clause held on which adapter. */
export class ContractResults {
  readonly #held = new Map<string, Map<string, boolean>>();

  record(clause: string, adapter: string, held: boolean): void {
    const row = this.#held.get(clause) ?? new Map<string, boolean>();
    this.#held.set(clause, row.set(adapter, held));
  }

  /** One row a clause, one column an adapter; a clause that did not run on an adapter shows as such. */
  table(adapters: readonly string[]): string {
    const table = new Table({ head: ['clause', ...adapters], style: { head: [], border: [], compact: true } });
    for (const [clause, row] of this.#held) table.push([clause, ...adapters.map((adapter) => mark(row.get(adapter)))]);
    return table.toString();
  }
}

function mark(held: boolean | undefined): string {
  if (held === undefined) return 'not run';
  return held ? 'holds' : 'BROKEN';
}

/** The clauses of one port on one adapter: each is a test, and a row of the results. */
export function clausesOf(port: string, adapter: string, results?: ContractResults): Clause {
  return (sentence, show) => {
    test(sentence, async () => {
      const row = `${port} ${sentence}`;
      results?.record(row, adapter, false);
      await show();
      results?.record(row, adapter, true);
    });
  };
}
