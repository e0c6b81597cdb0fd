import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../../infra/local/local-folder.ts';
import { miniStackPython } from '../../../infra/local/ministack.ts';

/** A function's process: it prints lines, then answers and stays. */
const FUNCTION = `
  for (let line = 1; line <= 500; line++) console.error('line ' + line);
  console.log('the answer');
  setInterval(() => {}, 1_000);`;

test('what a function prints comes with its answer, also where the emulator reads it late', async () => {
  const script = join(REPOSITORY, 'test/local/cloud/fixtures/late_reader.py');
  const { stdout } = await promisify(execFile)(
    await miniStackPython(),
    [script, process.execPath, '--eval', FUNCTION],
    { env: { ...process.env, PYTHONPATH: join(REPOSITORY, 'infra/local'), PYTHONDONTWRITEBYTECODE: '1' } },
  );

  expect(stdout).toBe('500 line 500\n');
});
