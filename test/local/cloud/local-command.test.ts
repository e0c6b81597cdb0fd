import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { REPOSITORY } from '../../../infra/local/local-folder.ts';
import { answers } from '../fixtures/answers.ts';

/** Runs a script of `infra/local` as `npm run` does, without npm, so that the process is known. */
function start(script: string, ...options: string[]) {
  const started = spawn(process.execPath, [join(REPOSITORY, 'infra/local', script), ...options], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  onTestFinished(() => void started.kill('SIGKILL'));
  return { started, printed: () => printed };
}

/** Starts `npm run local` with a small app. */
function startLocal(...options: string[]) {
  const { started: local, printed } = start(
    'main.ts',
    '--app',
    'npx node test/local/cloud/fixtures/cloud-app.ts',
    ...options,
  );
  return { local, printed };
}

test('npm run local, killed with SIGKILL, leaves no server behind', async () => {
  const { local, printed } = startLocal();
  // Its servers are up, and cdk deploys: also what that started must end.
  const up = /Apache Kafka is up at \S+?:(\d+), AWS's APIs at \S+:(\d+)/;
  await vi.waitFor(() => expect(printed()).toMatch(up), { timeout: 300_000 });
  const [, kafka = 0, ministack = 0] = (up.exec(printed()) ?? []).map(Number);
  expect(await Promise.all([answers(ministack), answers(kafka)])).toEqual([true, true]);

  local.kill('SIGKILL');
  await once(local, 'exit');

  await expect
    .poll(() => Promise.all([answers(ministack), answers(kafka)]), { timeout: 180_000 })
    .toEqual([false, false]);
});

test('a consumer that is not there is named, with those that are, and the exit code is 1', async () => {
  const { local, printed } = startLocal('--inspect', 'nobody');

  expect(await once(local, 'exit')).toEqual([1, null]);
  expect(printed()).toContain('No consumer is called nobody. There are: Fixture.');
});

test('npm run demo shows that every promise held for 2,000 orders', async () => {
  const { started: demo, printed } = start('demo/main.ts');

  const [code] = await once(demo, 'exit');

  expect(printed()).toContain('Every check held');
  expect(printed().match(/^│ ✔/gm)).toHaveLength(8);
  expect(code).toBe(0);
});
