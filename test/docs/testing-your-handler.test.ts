import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PROJECT, runTests, writeFiles } from '../fixtures/reproducing-project.ts';

test('the handler of docs/testing-your-handler.md fails as the page says, in node:test', async () => {
  const page = await readFile('docs/testing-your-handler.md', 'utf8');
  const blocks = [...page.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, , text = '']) => text);
  const block = (start: string) => blocks.find((text) => text.startsWith(start)) ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-docs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFiles(folder, {
    ...PROJECT,
    'test/reproduced/payouts.ts': block('// payouts.ts'),
    'test/reproduced/payouts.test.mjs': "import './payouts-test.ts';",
    'test/reproduced/payouts-test.ts': block('// payouts.test.ts').replace("from 'vitest'", "from 'node:test'"),
  });
  await symlink(join(import.meta.dirname, '../../node_modules/valibot'), join(folder, 'node_modules/valibot'));

  const { code, stdout } = await runTests(folder);

  expect(code).toBe(1);
  const story = block('the handler gives another result').trim().split('\n');
  expect(story).toHaveLength(6);
  for (const line of story) expect(stdout).toContain(line.trim());
});
