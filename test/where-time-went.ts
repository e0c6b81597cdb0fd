import { cpus } from 'node:os';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule } from 'vitest/node';

/** A test that failed, or a file that could not run its tests. */
export interface Failure {
  readonly project: string;
  readonly file: string;
  /** Absent where a hook of the file failed, or the file could not be loaded. */
  readonly test?: string;
  /** Of its first error. */
  readonly message: string;
}

/** How long one test file took. */
export interface FileTime {
  readonly project: string;
  readonly file: string;
  /** Tests and hooks. */
  readonly testsMs: number;
  /** Before its first test: its process, and all that it imports. */
  readonly loadingMs: number;
}

/** What a run of all tests cost. */
export interface RunTime {
  readonly wallMs: number;
  /** Before the first file was given to a worker: above all the local cloud. */
  readonly setUpMs: number;
  /** The part of the run in which a processor of this machine had nothing to do, 0 to 1. */
  readonly idle: number;
  readonly files: readonly FileTime[];
}

const SLOWEST = 10;
const FAILURES = 20;
const MESSAGE_LENGTH = 300;

/**
 * The end of a run says where its time went, so that what becomes slow is seen when it happens. It names what failed, too: a
 * log that is cut keeps its end.
 */
export class WhereTimeWent implements Reporter {
  #startedAt = 0;
  #firstFileAt: number | undefined;
  #processorsAtStart = processorTimes();

  onTestRunStart(): void {
    this.#startedAt = performance.now();
    this.#firstFileAt = undefined;
    this.#processorsAtStart = processorTimes();
  }

  onTestModuleQueued(): void {
    this.#firstFileAt ??= performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly { readonly message: string }[]): void {
    const now = performance.now();
    const { idleMs, allMs } = processorTimes();
    console.log(
      describeTime({
        wallMs: now - this.#startedAt,
        setUpMs: (this.#firstFileAt ?? now) - this.#startedAt,
        idle: (idleMs - this.#processorsAtStart.idleMs) / Math.max(1, allMs - this.#processorsAtStart.allMs),
        files: modules.map(fileTime),
      }),
    );
    const outside = unhandledErrors.map(({ message }) => ({ project: 'run', file: 'outside of a test', message }));
    const failures = [...modules.flatMap(failuresOf), ...outside];
    if (failures.length > 0) console.log(describeFailures(failures));
  }
}

/** Lines to print. */
export function describeTime({ wallMs, setUpMs, idle, files }: RunTime): string {
  const slowest = files
    .toSorted((one, other) => totalMs(other) - totalMs(one))
    .slice(0, SLOWEST)
    .map((file) => `${seconds(totalMs(file)).padStart(10)}  ${file.project}  ${file.file}`);
  const loadingMs = files.reduce((sum, file) => sum + file.loadingMs, 0);
  return [
    `Where the time went: ${seconds(wallMs)}`,
    `${seconds(setUpMs).padStart(10)}  set-up before the first file`,
    `${seconds(loadingMs).padStart(10)}  loading, summed over ${files.length} files`,
    `${seconds(wallMs * idle).padStart(10)}  waiting: ${Math.round(idle * 100)} % of the processors' time was idle`,
    `Slowest files:`,
    ...slowest,
  ].join('\n');
}

/** Lines to print, in the order in which the tests stand: the first one may have made others fail. */
export function describeFailures(failures: readonly Failure[]): string {
  const lines = failures.slice(0, FAILURES).map(({ project, file, test, message }) => {
    const text = stripVTControlCharacters(message).replace(/\s+/g, ' ').trim();
    return `  ${project}  ${file}${test === undefined ? '' : ` > ${test}`}: ${text.slice(0, MESSAGE_LENGTH)}`;
  });
  const more = failures.length - lines.length;
  return ['What failed:', ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n');
}

function failuresOf(module: TestModule): Failure[] {
  const of = (errors: readonly { readonly message: string }[], test?: string): Failure[] =>
    errors.slice(0, 1).map(({ message }) => ({
      project: module.project.name,
      file: relative(process.cwd(), module.moduleId),
      ...(test !== undefined && { test }),
      message,
    }));
  return [
    ...of(module.errors()),
    ...[...module.children.allSuites()].flatMap((suite) => of(suite.errors(), suite.fullName)),
    ...[...module.children.allTests('failed')].flatMap((test) => of(test.result().errors ?? [], test.fullName)),
  ];
}

function fileTime(module: TestModule): FileTime {
  const { duration, environmentSetupDuration, prepareDuration, collectDuration, setupDuration } = module.diagnostic();
  return {
    project: module.project.name,
    file: relative(process.cwd(), module.moduleId),
    testsMs: duration,
    loadingMs: environmentSetupDuration + prepareDuration + collectDuration + setupDuration,
  };
}

function totalMs({ testsMs, loadingMs }: FileTime): number {
  return testsMs + loadingMs;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Of all processors since the machine was started. */
function processorTimes(): { readonly idleMs: number; readonly allMs: number } {
  const times = cpus().map((processor) => processor.times);
  const idleMs = times.reduce((sum, { idle }) => sum + idle, 0);
  const allMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { idleMs, allMs };
}
