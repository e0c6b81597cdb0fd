import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { lastLinesOf } from './last-lines.ts';
import { MODULE_EXTENSION } from './local-folder.ts';

const GUARD_MAIN = join(import.meta.dirname, `guard-main${MODULE_EXTENSION}`);

export interface GuardOptions {
  /** The server's whole environment. @default this process's */
  readonly env?: NodeJS.ProcessEnv;
  /** @default this process's */
  readonly cwd?: string;
  /** Where standard output and standard error go: appended to a file, or line by line to a function. */
  readonly output: string | ((line: string) => void);
}

/** A server that cannot outlive this process. */
export interface Guarded {
  /** Resolves with the exit code when the server and everything that it started have ended. Never rejects. */
  readonly exited: Promise<number>;
  /** Sends a signal to the server and everything that it started. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it: SIGTERM, then SIGKILL after eight seconds. Resolves when it has ended. May be called again. */
  stop(): Promise<void>;
  /** Its last lines, for the text of an error; empty if a function gets the lines. */
  lastLines(count: number): string;
}

/**
 * Starts a server so that nothing of it is left when this process ends, by Ctrl-C, a failure or SIGKILL. The server does not
 * belong to the terminal: Ctrl-C reaches only this process, which stops its servers in its own order.
 */
export function spawnGuarded(command: string, args: readonly string[], options: GuardOptions): Guarded {
  const { output } = options;
  const log = typeof output === 'string' ? openSync(output, 'a') : 'pipe';
  const guard = spawn(process.execPath, ['--no-warnings', GUARD_MAIN, command, ...args], {
    stdio: ['pipe', log, log],
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  if (typeof log === 'number') closeSync(log);
  for (const stream of [guard.stdout, guard.stderr]) {
    if (stream && typeof output === 'function') createInterface({ input: stream }).on('line', output);
  }
  const exited = new Promise<number>((resolve) => {
    guard.on('exit', (code) => resolve(code ?? 1));
    guard.on('error', () => resolve(127));
  });
  // The guard may end before the pipe is closed. That is not an error.
  guard.stdin?.on('error', () => {});
  return {
    exited,
    signal: (signal) => void guard.stdin?.write(`${signal}\n`),
    stop: async () => {
      guard.stdin?.end();
      await exited;
    },
    lastLines: (count) => (typeof output === 'string' ? lastLinesOf(output, count) : ''),
  };
}
