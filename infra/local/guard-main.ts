/*
 * The guard: runs one server in a process group of its own and outlives whoever started it by as long as the server takes to end.
 * Its standard input is a pipe from the parent. A line is a signal's name, passed on to the group. End of file, which comes
 * whichever way the parent dies, SIGKILL included, means: SIGTERM, and SIGKILL after eight seconds.
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
    // Nobody is left in the group.
  }
}

function end(): void {
  signalGroup('SIGTERM');
  // A frozen server (SIGSTOP, for tests) does not see SIGTERM until it is woken.
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
  // What the server started and left behind.
  signalGroup('SIGKILL');
  process.exit(code ?? 1);
});
