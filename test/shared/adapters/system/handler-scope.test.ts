import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { watchRejections } from '../../../../shared/adapters/system/handler-scope.ts';

describe('a promise that nobody awaited', () => {
  test('is reported with the record whose handler started it, and ends the process as before', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['test/shared/adapters/system/fixtures/rejected-in-a-handler.ts'],
      { encoding: 'utf8' },
    );

    expect({ stdout, status }).toEqual({ stdout: 'Error: forgotten orders-0@2\n', status: 1 });
  });

  test('is not listened for any more when there is no watcher', () => {
    const before = process.listenerCount('unhandledRejection');
    const first = watchRejections(() => true);
    const second = watchRejections(() => true);
    expect(process.listenerCount('unhandledRejection')).toBe(before + 1);

    first.close();
    second.close();

    expect(process.listenerCount('unhandledRejection')).toBe(before);
  });
});
