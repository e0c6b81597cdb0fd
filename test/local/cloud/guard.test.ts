import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { spawnGuarded } from '../../../infra/local/guard.ts';
import { isAlive } from '../../../infra/local/local-folder.ts';

const PARENT = join(import.meta.dirname, 'fixtures/guarded-parent.ts');

function newLogFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'guard-')), 'server.log');
}

async function pidsIn(logFile: string): Promise<number[]> {
  return vi.waitFor(
    () => {
      const pids = existsSync(logFile) ? /pids (\d+) (\d+)/.exec(readFileSync(logFile, 'utf8')) : null;
      if (pids === null) throw new Error('the server has not said its number yet');
      return pids.slice(1).map(Number);
    },
    { timeout: 180_000 },
  );
}

test.each(['SIGKILL', 'SIGINT'] as const)(
  'a parent ended by %s leaves neither its server nor what the server started',
  async (signal) => {
    const logFile = newLogFile();
    const parent = spawn(process.execPath, [PARENT, logFile]);
    const pids = await pidsIn(logFile);
    expect(pids.map(isAlive)).toEqual([true, true]);

    parent.kill(signal);
    await once(parent, 'exit');

    await expect.poll(() => pids.map(isAlive), { timeout: 180_000 }).toEqual([false, false]);
  },
);

test('a server that ignores SIGTERM is killed eight seconds later', async () => {
  const logFile = newLogFile();
  const parent = spawn(process.execPath, [PARENT, logFile, 'ignored']);
  const pids = await pidsIn(logFile);

  parent.kill('SIGKILL');

  await expect.poll(() => pids.map(isAlive), { timeout: 180_000 }).toEqual([false, false]);
});

test('stop returns when the server is gone, frozen or not', async () => {
  const logFile = newLogFile();
  const server = spawnGuarded('sh', ['-c', 'sleep 1000 & echo "pids $$ $!"; wait'], { output: logFile });
  const pids = await pidsIn(logFile);
  server.signal('SIGSTOP');

  await server.stop();

  expect(pids.slice(0, 1).map(isAlive)).toEqual([false]);
  // Its child was killed before that, but it is the system's init that reaps it.
  await expect.poll(() => pids.map(isAlive), { timeout: 180_000 }).toEqual([false, false]);
});

test('a server that cannot be started ends at once and says why', async () => {
  const server = spawnGuarded('no-such-server', [], { output: newLogFile() });

  expect(await server.exited).toBe(127);
  expect(server.lastLines(1)).toBe('spawn no-such-server ENOENT');
});
