import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiFindings } from '../../api/report.ts';
import { LOCAL_FOLDER } from '../../infra/local/local-folder.ts';

let build: string;

beforeAll(() => {
  // Inside the repository: the declarations name packages.
  mkdirSync(LOCAL_FOLDER, { recursive: true });
  build = mkdtempSync(join(LOCAL_FOLDER, 'api-'));
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', build]);
});
afterAll(() => rmSync(build, { recursive: true, force: true }));

test('what the package declares is what api/*.api.md says; if the change is meant: npm run api', () => {
  expect(apiFindings(build)).toEqual([]);
});

test('an option that changes its type is seen', () => {
  const file = join(build, 'shared/options.d.ts');
  const declared = readFileSync(file, 'utf8');
  const changed = declared.replace('readonly leaseMs?: number', 'readonly leaseMs?: string');
  expect(changed).not.toBe(declared);

  writeFileSync(file, changed);

  expect(apiFindings(build, { reports: ['lockstep'] })).toEqual([
    { report: 'lockstep', finding: 'the declarations have changed' },
  ]);
});
