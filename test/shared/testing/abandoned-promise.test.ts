import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a promise that nobody awaited fails the delivery, and the record is named', () => {
  const { stdout, status } = spawnSync(process.execPath, ['test/shared/testing/fixtures/abandoned-promise.ts'], {
    encoding: 'utf8',
  });

  expect({ stdout, status }).toEqual({
    stdout: 'a promise that the handler of orders-0@1 started and nobody awaited was rejected | nobody awaits this\n',
    status: 0,
  });
});
