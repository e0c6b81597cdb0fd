import { globSync, readFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { ALONE } from '../vitest.config.ts';

test('a test that replaces modules runs in a process of its own: the other files of a process would get them too', () => {
  const files = globSync('{test,functions}/**/*.test.ts', { exclude: ['test/local/**', '**/node_modules/**'] });
  const replacing = files.filter((file) => /vi\.(do)?[mM]ock\(\s*'/.test(readFileSync(file, 'utf8')));

  expect(replacing).toContain('test/shared/connect.test.ts');
  expect(replacing.filter((file) => !ALONE.some((glob) => matchesGlob(file, glob)))).toEqual([]);
});
