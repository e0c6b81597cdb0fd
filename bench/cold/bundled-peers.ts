import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { lambdaBundle } from '../../infra/constructs/lambda-bundle.ts';
import type { PeerName } from '../measure/peers.ts';

// Powertools loads these only for a schema that needs them.
const ON_REQUEST = ['avro-js', 'protobufjs'];

/** Bundles a consumer exactly as the construct deploys ours, into a folder of `root`. Returns that folder. */
export function bundlePeer(name: PeerName, root: string): string {
  const folder = join(root, name);
  for (const { path, contents } of lambdaBundle(entryOf(name), { external: ON_REQUEST })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  return folder;
}

/**
 * Bundles a consumer as Powertools' example application does, with CDK's NodejsFunction: one file.
 * https://github.com/aws-powertools/powertools-lambda-typescript/blob/main/examples/app/cdk/example-stack.ts
 */
export function bundlePeerInOneFile(name: PeerName, root: string): string {
  const folder = join(root, `${name}-in-one-file`);
  mkdirSync(folder);
  // One file loads everything at the start, so a JSON consumer with these would only load more.
  const nothing = join(folder, 'nothing.cjs');
  writeFileSync(nothing, '');
  buildSync({
    entryPoints: [entryOf(name)],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    treeShaking: true,
    sourcemap: true,
    sourcesContent: true,
    alias: Object.fromEntries(ON_REQUEST.map((library) => [library, nothing])),
    banner: { js: 'import { createRequire } from "module";const require = createRequire(import.meta.url);' },
    logLevel: 'error',
  });
  return folder;
}

function entryOf(name: PeerName): string {
  return join(import.meta.dirname, '..', 'peers', name, 'handler.ts');
}
