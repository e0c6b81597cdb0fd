import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRunFolder, makeTemporaryFolder, temporaryFolderOf } from '../../../infra/local/local-folder.ts';

let temporary: string;
const made: string[] = [];

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'folders-'));
  vi.stubEnv('TMPDIR', temporary);
});

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of [temporary, ...made.splice(0)]) rmSync(folder, { recursive: true, force: true });
});

async function aRun(): Promise<string> {
  const folder = await createRunFolder();
  made.push(folder);
  return folder;
}

const modeOf = (folder: string) => statSync(folder).mode & 0o777;

test('a run’s folders are closed to other users', async () => {
  const run = await aRun();
  const its = await makeTemporaryFolder(run);

  expect([modeOf(run), modeOf(its)]).toEqual([0o700, 0o700]);
  expect(temporaryFolderOf(run)).toBe(its);
});

test('no two have a name that one could tell from the other, or from the process', async () => {
  const run = await aRun();
  const names = [await makeTemporaryFolder(run), await makeTemporaryFolder(run), await makeTemporaryFolder(run)];

  expect(new Set(names).size).toBe(3);
  for (const name of names) expect(basename(name)).toMatch(/^lockstep-[A-Za-z0-9]{6}$/);
  expect(temporaryFolderOf(run)).toBe(names[2]);
});

test('a folder that another user has made is not used, whatever its name', async () => {
  const run = await aRun();
  // As an earlier version named it.
  mkdirSync(join(temporary, `lockstep-${basename(run)}`), { mode: 0o777 });
  const first = await makeTemporaryFolder(run);
  rmSync(first, { recursive: true });
  mkdirSync(first, { mode: 0o777 });
  writeFileSync(join(first, 'planted'), '');

  const its = await makeTemporaryFolder(run);

  expect(its).not.toBe(first);
  expect(await readdir(its)).toEqual([]);
});

test('a link that leads elsewhere is not followed', async () => {
  const run = await aRun();
  const elsewhere = mkdtempSync(join(tmpdir(), 'precious-'));
  symlinkSync(elsewhere, join(run, 'temporary'));
  expect(temporaryFolderOf(run)).toBeUndefined();

  rmSync(join(run, 'temporary'));
  symlinkSync(join(temporary, 'lockstep-x/../..'), join(run, 'temporary'));
  expect(temporaryFolderOf(run)).toBeUndefined();
});
