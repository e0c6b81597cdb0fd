import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect, test } from 'vitest';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const tools = JSON.parse(readFileSync('packaging/tools/package.json', 'utf8'));

/** Where the package begins, as `package.json` and the constructs name it. */
const ENTRIES = [
  'shared/lockstep-consumer.ts',
  'public/cdk.ts',
  'public/testing.ts',
  'shared/schemas/avro.ts',
  'shared/schemas/protobuf.ts',
  'shared/schemas/framed.ts',
  'cli/main.ts',
  'functions/relay/handler.ts',
  'functions/redrive/handler.ts',
];

/** Packages that a module names, and those that its own modules name, types included: users' compilers read them. */
function packagesOf(module: string, seen = new Set<string>()): Set<string> {
  if (seen.has(module)) return new Set();
  seen.add(module);
  const named = [
    ...readFileSync(module, 'utf8').matchAll(
      /^(?:import|export)\b[^;]*?from\s*'([\w@./:-]+)'|import\(\s*'([\w@./:-]+)'/gm,
    ),
  ].map(([, from, onDemand = '']) => from ?? onDemand);
  return new Set(
    named.flatMap((name) => {
      if (name.startsWith('.')) return [...packagesOf(resolve(dirname(module), name), seen)];
      return name.startsWith('node:') ? [] : [packageName(name)];
    }),
  );
}

function packageName(specifier: string): string {
  if (specifier === 'aws-lambda') return '@types/aws-lambda';
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

test('it and lockstep-tools depend on what its modules name, and on nothing else', () => {
  const seen = new Set<string>();
  const named = new Set(ENTRIES.flatMap((entry) => [...packagesOf(resolve(entry), seen)]));
  const { 'lockstep-tools': _, ...peers } = manifest.peerDependencies;
  const brought = new Set(Object.keys({ ...manifest.dependencies, ...tools.dependencies, ...peers }));

  expect([...named].sort()).toEqual([...brought].sort());
});

test('leaves CDK, esbuild and avsc to the app, and tests against the versions that it asks for', () => {
  expect(manifest.peerDependencies).toEqual({
    avsc: '^5.7.9',
    'aws-cdk-lib': '^2.276.0',
    constructs: '^10.5.0',
    esbuild: '>=0.25.0 <1',
    'lockstep-tools': '0.1.0',
  });
  expect(manifest.devDependencies).toMatchObject({
    avsc: '5.7.9',
    'aws-cdk-lib': '2.276.0',
    constructs: '10.8.1',
    esbuild: '0.28.2',
  });
});
