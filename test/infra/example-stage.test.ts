import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grantLines } from './grant-lines.ts';
import { roleStatements } from './synth.ts';

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), 'lockstep-example-'));
const outdir = join(home, 'cdk.out');

/** What a user types, on a machine that has Node and nothing else: no Docker, no credentials, no profile. */
beforeAll(async () => {
  const env = {
    HOME: home,
    PATH: `${resolve('node_modules/.bin')}:/usr/bin:/bin`,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const args = ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '-c', 'stage=example', '--output', outdir];
  await run(process.execPath, args, { env });
});
afterAll(() => rmSync(home, { recursive: true }));

/** Of all stacks. */
function templates(): Template[] {
  return readdirSync(outdir)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => Template.fromString(readFileSync(join(outdir, name), 'utf8')));
}

describe('cdk synth -c stage=example', () => {
  test('grants no action by wildcard, and only what AWS forces on all resources', () => {
    const allowed = templates()
      .flatMap((template) => roleStatements(template))
      .filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
    const onAll = allowed.filter(({ Resource }) => JSON.stringify(Resource).includes('*'));
    expect([...new Set(onAll.map(({ Sid }) => Sid))]).toEqual(['AttachToTheVpc']);
  });

  test('lets each handler write to its own tables, and to nothing else', () => {
    const beside = templates().flatMap((template) =>
      Object.entries(grantLines(template)).filter(([holder]) => holder.includes('RoleDefaultPolicy')),
    );
    expect(Object.fromEntries(beside)).toEqual({
      'DeliveriesHandlerRoleDefaultPolicy of {DeliveriesHandlerRole}': [
        'Allow dynamodb:UpdateItem on {DeliveriesTable.Arn}',
      ],
      'EventsHandlerRoleDefaultPolicy of {EventsHandlerRole}': ['Allow dynamodb:BatchWriteItem on {DevicesTable.Arn}'],
      'OrdersHandlerRoleDefaultPolicy of {OrdersHandlerRole}': ['Allow dynamodb:UpdateItem on {OrdersTable.Arn}'],
      'PostingsHandlerRoleDefaultPolicy of {PostingsHandlerRole}': [
        'Allow dynamodb:PutItem on {EntriesTable.Arn}',
        'Allow dynamodb:UpdateItem on {BalancesTable.Arn}',
      ],
      'StockHandlerRoleDefaultPolicy of {StockHandlerRole}': ['Allow dynamodb:UpdateItem on {StockTable.Arn}'],
    });
  });

  test('bundles the handlers so that what only letters need is not read at a cold start', () => {
    const assets = readdirSync(outdir).filter((name) => name.startsWith('asset.'));
    const first = assets.map((asset) => readFileSync(join(outdir, asset, 'index.mjs'), 'utf8'));
    expect(first.length).toBeGreaterThan(0);
    const eager = assets
      .flatMap((asset) => eagerFiles(join(outdir, asset), 'index.mjs'))
      .map((path) => readFileSync(path, 'utf8'));
    expect(eager.filter((text) => text.includes('KafkaJSProtocolError'))).toEqual([]);
  });
});

/** A file of a bundle and what it imports statically, on and on. */
function eagerFiles(folder: string, file: string, seen = new Set<string>()): string[] {
  const path = join(folder, file);
  if (seen.has(path)) return [];
  seen.add(path);
  const imports = [...readFileSync(path, 'utf8').matchAll(/(?:from|import)"(\.[^"]+)"/g)].map(([, target]) =>
    String(target),
  );
  return [path, ...imports.flatMap((target) => eagerFiles(join(path, '..'), target, seen))];
}
