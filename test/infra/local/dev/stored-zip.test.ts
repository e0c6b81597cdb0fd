import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { storedZip } from '../../../../infra/local/dev/stored-zip.ts';

test('another program finds the archive whole, and reads its files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const archive = join(folder, 'code.zip');

  writeFileSync(
    archive,
    storedZip([
      { name: 'index.mjs', contents: Buffer.from('export const a = "é";') },
      { name: 'chunks/empty.mjs', contents: Buffer.alloc(0) },
    ]),
  );

  const read = [
    'import zipfile, json, sys',
    'z = zipfile.ZipFile(sys.argv[1])',
    'print(json.dumps([z.testzip(), {n: z.read(n).decode() for n in z.namelist()}]))',
  ].join('\n');
  expect(JSON.parse(execFileSync('python3', ['-c', read, archive], { encoding: 'utf8' }))).toEqual([
    null,
    { 'index.mjs': 'export const a = "é";', 'chunks/empty.mjs': '' },
  ]);
});
