import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { download } from '../../../infra/local/downloads.ts';
import { CACHE_FOLDER } from '../../../infra/local/local-folder.ts';

/** A name that nothing else downloads, swept afterwards. */
function newName(): string {
  const name = `test-${randomUUID()}`;
  onTestFinished(async () => {
    for (const left of (await readdir(CACHE_FOLDER)).filter((one) => one.startsWith(name)))
      await rm(join(CACHE_FOLDER, left), { recursive: true });
  });
  return name;
}

const fill = async (folder: string) => writeFile(join(folder, 'a.jar'), 'jar');

test('fetches once for those who ask at once, and not again', async () => {
  const name = newName();
  let fetches = 0;
  const fetch = async (folder: string) => {
    fetches += 1;
    await fill(folder);
  };

  const folders = await Promise.all([1, 2, 3].map(() => download(name, '4.1.0', fetch)));
  await download(name, '4.1.0', fetch);

  expect(fetches).toBe(1);
  expect(new Set(folders).size).toBe(1);
  expect(await readFile(join(folders[0] ?? '', 'a.jar'), 'utf8')).toBe('jar');
});

test('other content is another download', async () => {
  const name = newName();

  expect(await download(name, '4.1.0', fill)).not.toBe(await download(name, '4.1.1', fill));
});

test('a download that failed leaves nothing that looks whole', async () => {
  const name = newName();
  const failing = async (folder: string) => {
    await fill(folder);
    throw new Error('the network is gone');
  };

  await expect(download(name, '4.1.0', failing)).rejects.toThrow('the network is gone');

  expect((await readdir(CACHE_FOLDER)).filter((left) => left.startsWith(name))).toEqual([]);
  expect(existsSync(join(await download(name, '4.1.0', fill), 'a.jar'))).toBe(true);
});

test('the lock of a dead process is taken over', async () => {
  const name = newName();
  const place = await download(name, '4.1.0', fill);
  await rm(place, { recursive: true });
  await mkdir(`${place}.lock`);
  // No process has a number as high.
  await writeFile(join(`${place}.lock`, 'pid'), '4194999');

  expect(await download(name, '4.1.0', fill)).toBe(place);
});
