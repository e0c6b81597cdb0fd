import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { afterAll, expect, test } from 'vitest';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { LEAST, STRICT } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-synth-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Synthesizes one consumer into `outdir` and gives the hash of every file that it wrote, by its path. */
function assembly(outdir: string): Record<string, string> {
  const app = new App({ outdir, context: STRICT, analyticsReporting: false });
  new LockstepConsumer(new Stack(app, 'Shop'), 'Orders', LEAST);
  app.synth();
  const files = readdirSync(outdir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [relative(outdir, path), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

test('writes the same bytes again, wherever the output goes', () => {
  // From one line: CDK notes in its metadata from which line a construct came.
  const [first = {}, second] = ['first', 'deeper/below/second'].map((path) => assembly(join(folder, path)));

  expect(Object.keys(first)).toContain('Shop.template.json');
  expect(Object.keys(first).filter((path) => /asset\.\w+\/index\.mjs$/.test(path))).toHaveLength(1);
  expect(second).toEqual(first);
});
