import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

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
