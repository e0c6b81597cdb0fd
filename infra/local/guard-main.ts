/*
 * The guard runs one server in its own process group. It lives a little longer than its parent: until the server has ended. Its
 * standard input is a pipe from the parent. A line is the name of a signal, which it passes on to the group. End of file means
 * SIGTERM, and SIGKILL after eight seconds. End of file comes whenever the parent ends, also by SIGKILL.
 *
 *   parent ── pipe ──▶ guard ── process group ──▶ server, and what the server starts
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const GRACE_MS = 8_000;

const [command = '', ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });

function signalGroup(signal: NodeJS.Signals): void {
  if (server.pid === undefined) return;
  try {
    process.kill(-server.pid, signal);
  } catch {
    // The group is empty.
  }
}

function end(): void {
  signalGroup('SIGTERM');
  // A frozen server (SIGSTOP, for tests) does not get SIGTERM before SIGCONT.
  signalGroup('SIGCONT');
  setTimeout(() => signalGroup('SIGKILL'), GRACE_MS);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => signalGroup(line as NodeJS.Signals));
lines.on('close', end);
process.on('SIGTERM', end);
process.on('SIGINT', end);

server.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
server.on('exit', (code) => {
  // Processes that the server started and did not end.
  signalGroup('SIGKILL');
  process.exit(code ?? 1);
});
