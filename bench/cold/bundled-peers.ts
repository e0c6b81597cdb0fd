import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lambdaBundle } from '../../infra/constructs/lambda-bundle.ts';
import type { PeerName } from '../measure/peers.ts';

/** Bundles a consumer exactly as the construct deploys ours, into a folder of `root`. Returns that folder. */
export function bundlePeer(name: PeerName, root: string): string {
  const folder = join(root, name);
  const entry = join(import.meta.dirname, '..', 'peers', name, 'handler.ts');
  // Powertools loads these only where a schema asks for them.
  for (const { path, contents } of lambdaBundle(entry, { external: ['avro-js', 'protobufjs'] })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  return folder;
}
