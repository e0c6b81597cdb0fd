import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('users’ values are inferred from schema and decoder, and mistakes are compile errors', () => {
  const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['--noEmit', '-p', 'test/public/tsconfig.json'], {
    encoding: 'utf8',
  });

  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});
