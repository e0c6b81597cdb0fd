import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PROJECT, runTests, writeFiles } from '../fixtures/reproducing-project.ts';

/** The code blocks of a page. */
async function blocksOf(page: string): Promise<readonly string[]> {
  return [...(await readFile(page, 'utf8')).matchAll(/```\w*\n([\s\S]*?)```/g)].map(([, text = '']) => text);
}

/** What a test of the page takes from vitest, in node:test. */
const EXPECT = `import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
const expect = (actual: unknown) => ({ toEqual: (expected: unknown) => deepEqual(actual, expected) });
`;

test('the tests of docs/testing-your-handler.md run as they stand there, and one fails as the page says', async () => {
  const blocks = await blocksOf('docs/testing-your-handler.md');
  const block = (start: string) => blocks.find((text) => text.startsWith(start)) ?? '';
  const handler = (await blocksOf('README.md')).find((text) => text.startsWith('// lambda/orders.ts')) ?? '';
  const whole = blocks.filter((text) => text.includes("import { expect, test } from 'vitest'"));
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-docs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFiles(folder, {
    ...PROJECT,
    'test/reproduced/payouts.ts': block('// payouts.ts'),
    'test/reproduced/payouts.test.mjs': "import './payouts-test.ts';",
    'test/reproduced/payouts-test.ts': block('// payouts.test.ts').replace("from 'vitest'", "from 'node:test'"),
  });
  const tests = whole.map((text) => text.replace(/import \{ expect, test \} from 'vitest'.*\n/, EXPECT));
  await writeFiles(folder, {
    'test/reproduced/handler.ts': handler,
    ...Object.fromEntries(tests.map((text, index) => [`test/reproduced/whole-${index}.test.ts`, text])),
  });
  await symlink(join(import.meta.dirname, '../../node_modules/valibot'), join(folder, 'node_modules/valibot'));

  const { code, stdout } = await runTests(folder);

  expect(stdout).toMatch(/^\s*ok \d+ - applies an order once, though the producer wrote it twice$/m);
  expect(stdout).toMatch(/^\s*ok \d+ - a crash after the write repeats the write, and nothing else$/m);
  expect(code).toBe(1);
  const story = block('the handler gives another result').trim().split('\n');
  expect(story).toHaveLength(6);
  for (const line of story) expect(stdout).toContain(line.trim());
});
