import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GUARD_MAIN = join(import.meta.dirname, 'guard-main.ts');

export interface GuardOptions {
  /** The server's whole environment. @default this process's */
  readonly env?: NodeJS.ProcessEnv;
  /** @default this process's */
  readonly cwd?: string;
  /** File to which standard output and standard error are appended. */
  readonly logFile: string;
}

/** A server that cannot outlive this process. */
export interface Guarded {
  /** Settles with the exit code when the server and all that it started are gone. Never rejects. */
  readonly exited: Promise<number>;
  /** Passes a signal on to the server and all that it started. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it: SIGTERM, SIGKILL after eight seconds. Returns when it is gone; calling again does no harm. */
  stop(): Promise<void>;
  /** The last lines it printed, for an error's text. */
  lastLines(count: number): string;
}

/**
 * Starts a server so that nothing of it is left when this process ends, however it ends: Ctrl-C, a failure, SIGKILL.
 * The server is no child of the terminal: Ctrl-C reaches this process only, which stops its servers in its own order.
 */
export function spawnGuarded(command: string, args: readonly string[], options: GuardOptions): Guarded {
  const log = openSync(options.logFile, 'a');
  const guard = spawn(process.execPath, ['--no-warnings', GUARD_MAIN, command, ...args], {
    stdio: ['pipe', log, log],
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  closeSync(log);
  const exited = new Promise<number>((resolve) => {
    guard.on('exit', (code) => resolve(code ?? 1));
    guard.on('error', () => resolve(127));
  });
  // The guard may be gone before the pipe is closed; that is what was wanted.
  guard.stdin?.on('error', () => {});
  return {
    exited,
    signal: (signal) => void guard.stdin?.write(`${signal}\n`),
    stop: async () => {
      guard.stdin?.end();
      await exited;
    },
    lastLines: (count) => readFileSync(options.logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n'),
  };
}
