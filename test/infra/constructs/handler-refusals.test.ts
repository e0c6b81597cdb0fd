import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { afterAll, expect, test, vi } from 'vitest';
import type { LockstepConsumerProps } from '../../../infra/constructs/consumer-props.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { LEAST } from '../synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-handlers-'));
afterAll(() => rmSync(folder, { recursive: true }));
vi.spyOn(process.stderr, 'write').mockReturnValue(true);

const LOCKSTEP = resolve('shared/lockstep-consumer.ts');

/** A handler's module. */
function module(name: string, code: string): string {
  const entry = join(folder, `${name}.ts`);
  writeFileSync(entry, `import { byPosition, bytes, lockstepConsumer } from '${LOCKSTEP}';\n${code}`);
  return entry;
}

const handler = (options = '') =>
  `lockstepConsumer({ value: bytes, idempotencyKey: byPosition, onRecord: () => {}, ${options} })`;

/** Synthesizes a consumer whose handler is bundled and looked at; gives what synth warns of. */
function look(entry: string, props: Partial<LockstepConsumerProps> = {}): string[] {
  // In one folder, so that CDK bundles each module once.
  const stack = new Stack(new App({ outdir: join(folder, 'cdk.out') }), 'Shop');
  new LockstepConsumer(stack, 'Orders', { ...LEAST, checkHandler: true, entry, ...props });
  return Annotations.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('could not be loaded'))
    .map(({ entry: { data } }) => String(data));
}

const [good, wrapped, refused, unloadable] = [
  module('good', `export const handler = ${handler()};\nexport const other = 7;`),
  module('wrapped', `const inner = ${handler()};\nexport const handler = (event, context) => inner(event, context);`),
  module('refused', `export const handler = ${handler('retry: { maxAttempts: 0 }')};`),
  module(
    'unloadable',
    `if (!process.env.ONLY_ON_LAMBDA) throw new Error('not here');\nexport const handler = ${handler()};`,
  ),
];

test('a handler that fits is accepted', () => {
  expect(look(good)).toEqual([]);
});

test.each<[string, string, Partial<LockstepConsumerProps>, string]>([
  [
    'LOCKSTEP_HANDLER_EXPORT_MISSING',
    good,
    { handlerExport: 'main' },
    'exports `handler`, `other`, but not `main`. Export the handler under that name, or set `handlerExport`.',
  ],
  ['LOCKSTEP_HANDLER_NOT_OURS', good, { handlerExport: 'other' }, '`other` of `'],
  [
    'LOCKSTEP_HANDLER_NOT_OURS',
    wrapped,
    {},
    'is not what `lockstepConsumer(…)` returned. Export what `lockstepConsumer(…)` returns',
  ],
  [
    'LOCKSTEP_HANDLER_OPTIONS_INVALID',
    refused,
    {},
    'expected `retry.maxAttempts` to be an integer from 1 to 10000, or Infinity, got `0`',
  ],
  [
    'LOCKSTEP_HANDLER_DIFFERS',
    good,
    { retry: { maxAttempts: 7 } },
    '`retry.maxAttempts` is 5 in the handler and 7 in the construct. Give both the same values.',
  ],
  [
    'LOCKSTEP_HANDLER_DIFFERS',
    good,
    { keyNamespaces: ['payments'] },
    '`keyNamespace` is `Shop-Orders` in the handler, which is none of `keyNamespaces` in the construct',
  ],
])('%s (%#) names the file and the fix', (code, entry, props, part) => {
  let refusal: unknown;
  try {
    look(entry, props);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ name: code, message: expect.stringContaining(part) });
  expect(refusal).toMatchObject({ message: expect.stringContaining(entry) });
});

test('a handler that cannot be loaded here is warned of, loaded with its own environment, and may be left alone', () => {
  expect(look(unloadable)).toEqual([
    expect.stringContaining('(Error: not here). If it needs what only Lambda has, set `checkHandler: false`'),
  ]);
  expect(look(unloadable, { environment: { ONLY_ON_LAMBDA: 'yes' } })).toEqual([]);
  expect(look(unloadable, { checkHandler: false })).toEqual([]);
});

test('a handler is loaded without the credentials of who deploys', () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'of-the-deployer');
  const entry = module(
    'curious',
    `if (process.env.AWS_SECRET_ACCESS_KEY) throw new Error('seen');\nexport const handler = ${handler()};`,
  );
  expect(look(entry)).toEqual([]);
  vi.unstubAllEnvs();
});
