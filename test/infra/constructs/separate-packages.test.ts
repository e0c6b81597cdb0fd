import type { Metafile } from 'esbuild';
import { expect, test } from 'vitest';
import { separatePackages } from '../../../infra/constructs/separate-packages.ts';

type Kind = 'import-statement' | 'dynamic-import' | 'require-call';

const moduleOf = (name: string) => `node_modules/${name}/index.js`;

/** A build of modules, each with what it imports: `handler` is the entry, the others are packages. */
function built(modules: Readonly<Record<string, readonly (readonly [Kind, string])[]>>): Metafile {
  const pathOf = (name: string) => (name === 'handler' ? 'handler.ts' : moduleOf(name));
  const inputs = Object.entries(modules).map(([name, imports]) => [
    pathOf(name),
    {
      bytes: 1,
      format: 'esm',
      imports: imports.map(([kind, other]) => ({ kind, original: other, path: pathOf(other) })),
    },
  ]);
  const output = { bytes: 1, inputs: {}, imports: [], exports: [], entryPoint: 'handler.ts' };
  return { inputs: Object.fromEntries(inputs), outputs: { 'out/index.mjs': output } };
}

test('a client that is only loaded on demand is bundled on its own', () => {
  const metafile = built({ handler: [['dynamic-import', '@aws-sdk/client-sqs']], '@aws-sdk/client-sqs': [] });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([
    ['@aws-sdk/client-sqs', 'node_modules/@aws-sdk/client-sqs/index.js'],
  ]);
});

test('a client that is loaded at the start too is not: its classes must be the same ones', () => {
  const metafile = built({
    handler: [
      ['dynamic-import', '@aws-sdk/client-sqs'],
      ['import-statement', 'queues'],
    ],
    queues: [['import-statement', '@aws-sdk/client-sqs']],
    '@aws-sdk/client-sqs': [],
  });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([]);
});

test('nor is one that a client needs which is loaded at the start', () => {
  const metafile = built({
    handler: [
      ['import-statement', '@aws-sdk/client-sts'],
      ['dynamic-import', '@aws-sdk/credential-provider-ini'],
    ],
    '@aws-sdk/client-sts': [['import-statement', '@aws-sdk/credential-provider-ini']],
    '@aws-sdk/credential-provider-ini': [],
  });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([]);
});

test('nor is one of which another package imports an inner module: it would be missing', () => {
  const metafile = built({
    handler: [
      ['dynamic-import', '@aws-sdk/client-sqs'],
      ['dynamic-import', '@aws-sdk/client-sqs/inside'],
    ],
    '@aws-sdk/client-sqs': [],
    '@aws-sdk/client-sqs/inside': [],
  });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([]);
});

test('one that something loaded on demand imports is bundled on its own, for all who import it', () => {
  const metafile = built({
    handler: [
      ['dynamic-import', '@aws-sdk/client-sqs'],
      ['dynamic-import', 'queues'],
    ],
    queues: [['import-statement', '@aws-sdk/client-sqs']],
    '@aws-sdk/client-sqs': [],
  });

  expect([...separatePackages(metafile, 'index.mjs').keys()]).toEqual(['@aws-sdk/client-sqs']);
});

test('nor is what CommonJS asks for at the start', () => {
  const metafile = built({
    handler: [['import-statement', 'signer']],
    signer: [['require-call', '@aws-sdk/credential-providers']],
    '@aws-sdk/credential-providers': [],
  });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([]);
});

test('what CommonJS asks for that is itself loaded on demand is bundled on its own', () => {
  const metafile = built({
    handler: [['dynamic-import', 'signer']],
    signer: [['require-call', '@aws-sdk/credential-providers']],
    '@aws-sdk/credential-providers': [],
  });

  expect([...separatePackages(metafile, 'index.mjs').keys()]).toEqual(['@aws-sdk/credential-providers']);
});

test('other packages stay with the rest: they may share state with it', () => {
  const metafile = built({
    handler: [
      ['dynamic-import', 'kafkajs'],
      ['dynamic-import', '@aws-sdk/lib-dynamodb'],
    ],
    kafkajs: [],
    '@aws-sdk/lib-dynamodb': [],
  });

  expect([...separatePackages(metafile, 'index.mjs')]).toEqual([]);
});
