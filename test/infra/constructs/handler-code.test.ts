import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { handlerCode } from '../../../infra/constructs/handler-code.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-bundle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bundles a module and gives the folder that Lambda would get. */
function bundle(entry: string): string {
  const app = new App({ outdir: join(folder, 'out') });
  new LambdaFunction(new Stack(app, 'Shop'), 'Orders', {
    code: handlerCode(entry),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });
  app.synth();
  const asset = readdirSync(join(folder, 'out')).find((name) => name.startsWith('asset.'));
  return join(folder, 'out', String(asset));
}

function source(text: string): string {
  const entry = join(folder, 'src', 'handler.ts');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(entry, text);
  return entry;
}

/** Runs code in a Node of its own, as Lambda would: what it imports comes from the bundle alone. */
function node(code: string): string {
  return execFileSync(process.execPath, ['--enable-source-maps', '--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
}

test('keeps what is imported dynamically out of the file that a cold start reads', () => {
  const asset = bundle('test/infra/fixtures/handler.ts');

  expect(readFileSync(join(asset, 'index.mjs')).byteLength).toBeLessThan(2_000);
  expect(readdirSync(join(asset, 'chunks')).filter((name) => /^kafkajs-\w+\.mjs$/.test(name))).toHaveLength(1);
});

test('loads the Kafka client, which is CommonJS and asks for node modules by require', () => {
  const asset = bundle('test/infra/fixtures/handler.ts');
  const answer = node(`
    process.env.FIXTURE_NEEDS_KAFKA = '1';
    const { handler } = await import(${JSON.stringify(join(asset, 'index.mjs'))});
    console.log(JSON.stringify(await handler()));
  `);
  expect(JSON.parse(answer)).toEqual({ batchItemFailures: [] });
});

test('keeps clients and credential providers that are loaded on demand apart, where they work as ever', () => {
  const asset = bundle('test/infra/fixtures/sdk-on-demand.ts');
  const credentialsFile = join(folder, 'credentials');
  writeFileSync(credentialsFile, '[default]\naws_access_key_id = FROM-FILE\naws_secret_access_key = secret\n');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', credentialsFile);
  onTestFinished(() => void vi.unstubAllEnvs());

  const answer = node(`
    const { handler } = await import(${JSON.stringify(join(asset, 'index.mjs'))});
    console.log(JSON.stringify(await handler()));
  `);

  expect(JSON.parse(answer)).toEqual({ client: 'SQSClient', accessKeyId: 'FROM-FILE', signed: true });
  const packages = readdirSync(join(asset, 'node_modules', '@aws-sdk'));
  expect(packages).toContain('client-sqs');
  expect(packages).toContain('credential-provider-ini');
  expect(packages).not.toContain('client-dynamodb');
});

test('keeps the names of error classes and points stacks at the TypeScript', () => {
  const asset = bundle(
    source(`
      class OrderRejected extends Error {}
      export function handler(): never {
        throw new OrderRejected('no credit');
      }
    `),
  );
  const [name, stack] = JSON.parse(
    node(`
      const { handler } = await import(${JSON.stringify(join(asset, 'index.mjs'))});
      try { handler() } catch (error) { console.log(JSON.stringify([error.constructor.name, error.stack])) }
    `),
  );
  expect(name).toBe('OrderRejected');
  expect(stack).toContain('handler.ts:4');
});

test('stops synth with the place when the handler does not compile', () => {
  const entry = source('export const handler = ;');
  expect(() => bundle(entry)).toThrow(/handler\.ts:1:23: ERROR: Unexpected ";"/);
});
