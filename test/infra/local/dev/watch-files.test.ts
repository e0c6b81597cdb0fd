import { mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchFiles } from '../../../../infra/local/dev/watch-files.ts';

/** A folder with two files; one of them is watched. */
function watched() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'watched-')));
  const followed = join(folder, 'followed.ts');
  const other = join(folder, 'other.ts');
  for (const file of [followed, other]) writeFileSync(file, 'before');
  const changes: (readonly string[])[] = [];
  const files = watchFiles((paths) => changes.push(paths));
  files.follow([followed]);
  onTestFinished(() => {
    files.close();
    rmSync(folder, { recursive: true });
  });
  return { folder, followed, other, changes, files };
}

test('a file that is written is told of, another one of its folder is not', async () => {
  const { followed, other, changes } = watched();

  writeFileSync(other, 'after all');
  writeFileSync(followed, 'after all');

  await vi.waitFor(() => expect(changes).toEqual([[followed]]), { timeout: 60_000 });
});

test('a file that is replaced, as editors save, is told of', async () => {
  const { folder, followed, changes } = watched();

  writeFileSync(join(folder, 'draft'), 'after all');
  renameSync(join(folder, 'draft'), followed);

  await vi.waitFor(() => expect(changes).toEqual([[followed]]), { timeout: 60_000 });
});

test('which files are followed may change', async () => {
  const { followed, other, changes, files } = watched();

  files.follow([other]);
  writeFileSync(followed, 'after all');
  writeFileSync(other, 'after all');

  await vi.waitFor(() => expect(changes).toEqual([[other]]), { timeout: 60_000 });
});
