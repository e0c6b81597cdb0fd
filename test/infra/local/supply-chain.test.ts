import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differingFiles } from '../../../infra/local/maven-jars.ts';

interface Locked {
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
}

const packagesOf = (lock: string) =>
  Object.entries<Locked>(JSON.parse(readFileSync(lock, 'utf8')).packages).filter(([name]) => name !== '');

test.each(['package-lock.json', 'bench/package-lock.json', 'test/mutation/package-lock.json'])(
  'each package of %s has a checksum, or is part of one that has',
  (lock) => {
    const packages = packagesOf(lock);
    expect(packages.length).toBeGreaterThan(10);
    const without = packages.filter(([, { integrity, inBundle }]) => integrity === undefined && inBundle !== true);
    expect(without.map(([name]) => name)).toEqual([]);
  },
);

test('these packages run a script when they are installed, and no others', () => {
  const scripts = (lock: string) =>
    packagesOf(lock).flatMap(([name, { hasInstallScript }]) => (hasInstallScript ? [name] : []));
  expect(scripts('package-lock.json')).toEqual(['node_modules/esbuild', 'node_modules/node']);
  expect(JSON.parse(readFileSync('package.json', 'utf8')).allowScripts).toEqual({ esbuild: true, node: true });
  expect(scripts('bench/package-lock.json')).toEqual(['node_modules/aws-lambda-ric']);
  expect(scripts('test/mutation/package-lock.json')).toEqual([]);
});

test('each Python package of the local cloud is pinned, with hashes', () => {
  const text = readFileSync('infra/local/ministack-requirements.txt', 'utf8');
  const requirements = text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(requirements.length).toBeGreaterThan(10);
  for (const line of requirements)
    expect(line).toMatch(/^[a-z0-9-]+==[\w.]+ (; [^#]+? )?( *--hash=sha256:[0-9a-f]{64})+ *$/);
});

test('a jar that differs, is missing or is not listed is found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jars-'));
  writeFileSync(join(folder, 'a.jar'), 'hello\n');
  writeFileSync(join(folder, 'b.jar'), 'hello\n');
  writeFileSync(join(folder, 'c.so'), '');
  const hello = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
  const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  expect(await differingFiles(folder, `${hello}  a.jar\n${hello}  b.jar\n${nothing}  c.so\n`)).toEqual([]);
  expect(await differingFiles(folder, `${hello}  a.jar\n${nothing}  b.jar\n${hello}  d.jar\n`)).toEqual([
    'd.jar is missing',
    'b.jar has another checksum',
    'c.so is not expected',
  ]);
  rmSync(folder, { recursive: true });
});

test.each(['kafka', 'dynamodb-local'])('the checksums of %s name each file once', (name) => {
  const lines = readFileSync(`infra/local/${name}-jars.sha256`, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(50);
  for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} {2}[\w.-]+\.(jar|so|dylib|dll)$/);
  expect(new Set(lines.map((line) => line.slice(66))).size).toBe(lines.length);
});
