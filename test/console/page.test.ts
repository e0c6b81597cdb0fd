import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundlePage } from '../../console/bundle-page.ts';
import { filledIn } from '../../console/page/filled-in.ts';
import { entriesOf, runbook } from '../../console/runbook.ts';
import { shellWord } from '../../console/shell-word.ts';

test('the page is smaller than 150 KB compressed, with everything that it needs', async () => {
  const { js, css, html } = await bundlePage();
  const bytes = [js, css, html].reduce((sum, part) => sum + gzipSync(part).length, 0);
  expect(bytes).toBeLessThan(150_000);
  expect(bytes).toBeGreaterThan(10_000);
  expect(`${css}${html}`).not.toMatch(/url\(['"]?(https?:|\/\/)|@import|<script(?! type="module" src="\/app\.js")/);
});

test('the runbook has the entries that the page names', async () => {
  const { js } = await bundlePage();
  const entries = await runbook();
  const named = [
    'replay-halted',
    'flood-breaker',
    'partition-full',
    'blocked-record',
    'loss-suspected',
    'pollers-gone',
    'lag-time',
    'letters-waiting',
    'dead-letters',
    'parked-key',
  ];
  for (const name of named) {
    expect(js.toString()).toContain(name);
    expect(entries[name]).toMatch(/\w/);
  }
  expect(entriesOf('## A\n\nx\n\n### b\n\ntext\n\nmore\n\n#### c\n\ncause\n\n## C\n\ny')).toEqual({
    b: 'text\n\nmore',
    c: 'cause',
  });
});

const NAMES = { target: '--stack Prod --consumer Orders', partition: 'orders-7', record: 'orders-7@99' };

test.each([
  [
    'npx lockstep skip orders-3@1042 --why …',
    'npx lockstep skip orders-7@99 --why "..." --stack Prod --consumer Orders',
  ],
  [
    'npx lockstep reset orders-3 --stack Prod --consumer Orders --skip --why "..."',
    'npx lockstep reset orders-7 --skip --why "..." --stack Prod --consumer Orders',
  ],
  ['npx lockstep blocked', 'npx lockstep blocked --stack Prod --consumer Orders'],
  ['lockstep reset <partition>', 'npx lockstep reset orders-7 --stack Prod --consumer Orders'],
])('the runbook’s command `%s` is filled in', (text, command) => {
  expect(filledIn(text, NAMES)).toBe(command);
});

test.each([
  ['orders-3@1042', 'orders-3@1042'],
  ['a b', "'a b'"],
  ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
  ['', "''"],
])('%j is one word of a shell', (text, word) => {
  expect(shellWord(text)).toBe(word);
});
