import type { Section } from '../report/section.ts';

/** What the command line says. */
export interface BenchSettings {
  readonly sizes: readonly number[];
  readonly partitions: readonly number[];
  readonly latencies: readonly number[];
  readonly rounds: number;
  /** Records end to end with a handler that does nothing; a tenth of it with effects. */
  readonly endToEndRecords: number;
  /** Where plots go. */
  readonly resultsFolder: string;
  /** Of the results file, without its ending. */
  readonly name: string;
  readonly progress: (line: string) => void;
}

/** A part of the benchmark. */
export type Part = (settings: BenchSettings) => Promise<Section>;
