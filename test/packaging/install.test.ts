import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { lambdaBundle } from '../../infra/constructs/lambda-bundle.ts';
import { LOCAL_FOLDER } from '../../infra/local/local-folder.ts';
import { BUNDLED } from '../../packaging/bundled-packages.ts';
import { makePackages } from '../../packaging/main.ts';

const run = promisify(execFile);
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const root = read('package.json');
const tools = read('packaging/tools/package.json');
const MOST_BYTES = 30 * 1_024 * 1_024;

let folder: string;
/** What `npm run build` makes for each package. */
let dist: string;
let toolsDist: string;

beforeAll(async () => {
  // Inside the repository: what is left as an import is found there.
  mkdirSync(LOCAL_FOLDER, { recursive: true });
  folder = mkdtempSync(join(LOCAL_FOLDER, 'packages-'));
  [dist, toolsDist] = [join(folder, 'dist'), join(folder, 'tools')];
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', dist]);
  // As in the package: what `dist` is, and which files beside it are CommonJS.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await makePackages(dist, toolsDist);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `du` counts for a file, or for a folder without packages in it: whole blocks of 4 KiB. */
function bytesOnDisk(path: string): number {
  if (!statSync(path).isDirectory()) return Math.ceil(statSync(path).size / 4_096) * 4_096;
  const inside = readdirSync(path).filter((name) => name !== 'node_modules');
  return inside.reduce((sum, name) => sum + bytesOnDisk(join(path, name)), 4_096);
}

/** Packages that the modules of a folder and their declarations import, by their names. */
function importsOf(path: string): readonly string[] {
  const names = globSync('**/*.{js,d.ts}', { cwd: path }).flatMap((file) =>
    [
      ...readFileSync(join(path, file), 'utf8').matchAll(
        /(?:\bfrom|\bimport|\brequire\(|\bimport\() ?["']((?:@[\w-]+\/)?[\w-]+)[\w./-]*["']/g,
      ),
    ].flatMap(([, name = '']) => (name === 'aws-lambda' ? '@types/aws-lambda' : name)),
  );
  return [...new Set(names)].filter((name) => !isBuiltin(name)).sort();
}

test('a function’s own install is at most 60 packages and 30 MB, and brings no CDK, no command and no local cloud', () => {
  const installed = Object.entries<Record<string, unknown>>(read('package-lock.json').packages).filter(
    ([path, { dev, devOptional, optional, peer }]) => path !== '' && !dev && !devOptional && !optional && !peer,
  );
  const shipped = ['package.json', 'README.md', 'LICENSE', ...root.files.filter((name: string) => name !== 'dist')];
  const own = shipped.filter((name) => !name.startsWith('!')).map((name) => bytesOnDisk(name));
  const images = bytesOnDisk('docs/images');
  const others = installed.map(([path]) => bytesOnDisk(path));
  const bytes = [...own, -images, bytesOnDisk(dist), ...others].reduce((sum, one) => sum + one);

  expect(installed.length + 1).toBeGreaterThan(20);
  expect(installed.length + 1).toBeLessThanOrEqual(60);
  expect(bytes).toBeGreaterThan(20 * 1_024 * 1_024);
  expect(bytes).toBeLessThan(MOST_BYTES);
  const names = installed.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
  const unwanted = ['aws-cdk-lib', 'constructs', 'esbuild', 'commander', '@aws-sdk/client-cloudformation', ...BUNDLED];
  expect(names.filter((name) => unwanted.includes(name))).toEqual([]);
  expect(
    ['cli', 'console', 'infra/local'].filter((path) => globSync(`${path}/**/*.js`, { cwd: dist }).length > 0),
  ).toEqual([]);
});

test('each package imports what it asks for, and asks for nothing else', () => {
  const asked = ({ dependencies, peerDependencies }: typeof root) =>
    Object.keys({ ...dependencies, ...peerDependencies });
  // In files that `init` and `reproduce` write.
  const written = ['@jest/globals', 'aws-cdk-lib', 'vitest'];

  expect(['lockstep-tools', ...importsOf(dist)].sort()).toEqual(asked(root).sort());
  expect(importsOf(toolsDist).filter((name) => !written.includes(name))).toEqual(asked(tools).sort());
});

test('what the tools take from lockstep is there, and of no module are there two', () => {
  const taken = globSync('**/*.js', { cwd: toolsDist }).flatMap((file) =>
    [...readFileSync(join(toolsDist, file), 'utf8').matchAll(/"lockstep\/internal\/([^"]+)"/g)].map(
      ([, path = '']) => path,
    ),
  );

  expect(taken).toContain('shared/errors.js');
  expect(root.exports['./internal/*']).toEqual({ import: './dist/*' });
  expect(taken.filter((path) => !existsSync(join(dist, path)))).toEqual([]);
  expect(globSync('**/*.js', { cwd: toolsDist }).filter((path) => existsSync(join(dist, path)))).toEqual([]);
});

test('the tools bring what the command starts, and what the local cloud and the console read', () => {
  const files = [
    'cli/main.js',
    'infra/local/guard-main.js',
    'infra/local/inspect-main.js',
    'infra/local/kafka-jars.sha256',
    'infra/local/kafka-log4j2.yaml',
    'infra/local/ministack-requirements.txt',
    'infra/local/ministack_app.py',
    'infra/local/pom.xml',
    'console/page/app.js',
    'console/page/app.css',
    'console/page/index.html',
    'docs/runbook.md',
  ];

  expect(files.filter((path) => !existsSync(join(toolsDist, path)))).toEqual([]);
  expect(tools.exports['./main']).toBe('./dist/cli/main.js');
});

test('what is bundled is named with its version and its licence', () => {
  const pages = [dist, toolsDist].map((path) => readFileSync(join(path, 'bundled-packages.txt'), 'utf8'));
  const named = pages.map((page) => [...page.matchAll(/^(\S+) (\d+\.\d+\.\d+) \((Apache-2\.0|MIT)\)$/gm)]);
  const { packages } = read('package-lock.json');

  expect(named[1]?.map(([, name]) => name)).toEqual(['preact', 'uplot']);
  expect(named[0]?.map(([, name]) => name).sort()).toEqual([
    '@aws-sdk/client-kafka',
    '@aws-sdk/client-lambda',
    '@aws-sdk/client-secrets-manager',
    '@aws-sdk/client-sqs',
    '@aws-sdk/core',
    '@aws-sdk/middleware-sdk-sqs',
    '@aws/lambda-invoke-store',
    '@opentelemetry/api',
    '@smithy/core',
    '@smithy/node-http-handler',
    '@smithy/types',
    'valibot',
  ]);
  for (const [, name, version] of named.flat()) expect(packages[`node_modules/${name}`].version, name).toBe(version);
  expect(pages[0]).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION');
  expect(pages[0]).toContain('Copyright (c) Fabian Hiller');
});

test('lockstep-tools has the version of lockstep, and of each package the one that is tested', () => {
  expect(tools.version).toBe(root.version);
  expect(root.peerDependencies['lockstep-tools']).toBe(root.version);
  expect(tools.peerDependencies).toEqual({ lockstep: root.version });
  expect({ ...root.devDependencies, ...root.dependencies }).toMatchObject(tools.dependencies);
});

test('credentials are looked up by the copy that the client for DynamoDB brings: the range is its own', () => {
  const { dependencies } = read('node_modules/@aws-sdk/client-dynamodb/package.json');
  const name = '@aws-sdk/credential-provider-node';

  expect(root.dependencies[name]).toBe(dependencies[name]);
});

/** Runs the command as in a project of somebody with these files in node_modules. */
function runBare(installed: Readonly<Record<string, string>>): void {
  const bare = mkdtempSync(join(tmpdir(), 'lockstep-bare-'));
  onTestFinished(() => rmSync(bare, { recursive: true }));
  const own = join(bare, 'node_modules/lockstep');
  mkdirSync(own, { recursive: true });
  cpSync('bin', join(own, 'bin'), { recursive: true });
  writeFileSync(join(own, 'package.json'), '{"type":"module","version":"1.2.3"}');
  for (const [path, contents] of Object.entries(installed)) {
    mkdirSync(join(bare, 'node_modules', dirname(path)), { recursive: true });
    writeFileSync(join(bare, 'node_modules', path), contents);
  }
  execFileSync(process.execPath, [join(own, 'bin/lockstep.js')], { encoding: 'utf8', stdio: 'pipe' });
}

test('without lockstep-tools the command says in one line what to install', () => {
  expect(() => runBare({})).toThrow(
    /\n✖ The package lockstep-tools is not installed\. The commands need lockstep-tools\. Run: npm install --save-dev lockstep-tools\n$/,
  );
});

test('with lockstep-tools of another version the command says in one line what to install', () => {
  const manifest = { name: 'lockstep-tools', version: '1.3.0', type: 'module', exports: tools.exports };

  expect(() => runBare({ 'lockstep-tools/package.json': JSON.stringify(manifest) })).toThrow(
    /\n✖ lockstep is 1\.2\.3, and lockstep-tools is 1\.3\.0\. They need the same version\. Run: npm install --save-dev lockstep-tools@1\.2\.3\n$/,
  );
});

test('with a package of lockstep-tools missing the command names it', () => {
  const manifest = { name: 'lockstep-tools', version: '1.2.3', type: 'module', exports: tools.exports };

  expect(() =>
    runBare({
      'lockstep-tools/package.json': JSON.stringify(manifest),
      'lockstep-tools/dist/cli/main.js': "import 'commander';",
    }),
  ).toThrow(/\n✖ The package commander is not installed\. The commands need lockstep-tools\./);
});

test('a handler that is bundled from the package loads little more at the start than one from the sources', () => {
  const startOf = (module: string) => {
    const entry = join(folder, 'handler.ts');
    writeFileSync(
      entry,
      `import { byPosition, json, lockstepConsumer } from '${module}';
       export const handler = lockstepConsumer({ value: json(), idempotencyKey: byPosition, onRecord: () => {} });`,
    );
    const start = lambdaBundle(entry).find(({ path }) => path === 'index.mjs');
    return start?.contents.length ?? 0;
  };
  const fromSources = startOf('../../shared/lockstep-consumer.ts');

  expect(fromSources).toBeGreaterThan(300_000);
  expect(startOf('./dist/shared/lockstep-consumer.js') - fromSources).toBeLessThan(4_000);
});

/** Stands for AWS on loopback: each service finds its answer in this one. @returns its address, and what it was asked */
async function answering(answerTo: (body: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    asked.push(String(request.headers['x-amz-target'] ?? `${request.method} ${request.url}`));
    const answer = answerTo(body === '' ? {} : JSON.parse(body));
    response.writeHead('__type' in answer ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Runs a script with the package's modules in a process of its own. `load` takes one. @returns what it printed, as JSON */
async function inOwnProcess(form: 'import' | 'require', script: string, env: Readonly<Record<string, string>> = {}) {
  const load =
    form === 'import'
      ? `const load = (path) => import(${JSON.stringify(`${dist}/`)} + path);`
      : `import { createRequire } from 'node:module';
         const load = async (path) => createRequire(import.meta.url)(${JSON.stringify(`${dist}/cjs/`)} + path);`;
  const file = join(folder, `${form}.mjs`);
  writeFileSync(file, `${load}\n${script}`);
  const { stdout } = await run(process.execPath, [file], { env: { PATH: process.env['PATH'], ...env } });
  return JSON.parse(stdout);
}

const KEYS = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
const SEND_A_LETTER = `
  const { sqsFallbackQueue } = await load('shared/adapters/sqs/sqs-fallback-queue.js');
  const origin = { topic: 'orders', partition: 3, offset: 1042 };
  const letter = { id: 'l', origin, key: null, value: null, headers: [], timestamp: 17 };
  const queueUrl = process.env.AWS_ENDPOINT_URL + '/1/fallback';
  const sent = sqsFallbackQueue({ queueUrl, secret: async () => Buffer.alloc(32) }).send({ type: 'letter', letter });`;

test.for(['import', 'require'] as const)(
  'the clients that are bundled speak with their services, loaded by %s: a letter reaches the fallback queue',
  async (form) => {
    const { endpoint, asked } = await answering(({ MessageBody = '' }) => ({
      MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
      SecretString: 'secret',
      bootstrapBrokerStringSaslIam: 'b-1:9098',
    }));

    const printed = await inOwnProcess(
      form,
      `${SEND_A_LETTER}
       const { secretText } = await load('shared/adapters/kafka/kafka-secret.js');
       const { mskBootstrapBrokers } = await load('shared/adapters/kafka/msk-bootstrap-brokers.js');
       const { mskIamToken } = await load('shared/adapters/kafka/msk-iam-token.js');
       const clusterArn = 'arn:aws:kafka:eu-central-1:1:cluster/c/1';
       console.log(JSON.stringify([
         (await sent) === undefined,
         await secretText('arn:aws:secretsmanager:eu-central-1:1:secret:kafka', undefined),
         await mskBootstrapBrokers({ clusterArn, eventSourceArn: clusterArn, kafkaAuth: 'iam' }),
         Buffer.from(await mskIamToken('eu-central-1'), 'base64url').toString().slice(0, 71),
       ]));`,
      { ...KEYS, AWS_ENDPOINT_URL: endpoint },
    );

    expect(printed).toEqual([
      true,
      'secret',
      'b-1:9098',
      'https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnec',
    ]);
    expect(asked).toEqual([
      'AmazonSQS.SendMessage',
      'secretsmanager.GetSecretValue',
      'GET /v1/clusters/arn%3Aaws%3Akafka%3Aeu-central-1%3A1%3Acluster%2Fc%2F1/bootstrap-brokers',
    ]);
  },
);

test.for(['import', 'require'] as const)(
  'the error of a client that is bundled has its name, loaded by %s',
  async (form) => {
    const { endpoint } = await answering(() => ({
      __type: 'com.amazonaws.sqs#QueueDoesNotExist',
      message: 'no such queue',
    }));

    const printed = await inOwnProcess(
      form,
      `${SEND_A_LETTER}
     console.log(JSON.stringify(await sent.catch(({ code, message }) => [code, message])));`,
      { ...KEYS, AWS_ENDPOINT_URL: endpoint },
    );

    expect(printed).toEqual([
      'FALLBACK_REFUSED',
      expect.stringMatching(/did not accept the letter of orders-3@1042: QueueDoesNotExist: no such queue/),
    ]);
  },
);

test('the functions beside a consumer reach their services through the clients that are bundled', async () => {
  const { endpoint, asked } = await answering(() => ({ end: 'released' }));

  const printed = await inOwnProcess(
    'import',
    `const { sqsParking } = await load('shared/adapters/sqs/sqs-parking.js');
     const { releaseInvoker } = await load('shared/adapters/lambda/release-invoker.js');
     const eventSourceARN = 'arn:aws:sqs:eu-central-1:1:failures';
     await sqsParking(process.env.AWS_ENDPOINT_URL + '/1/fallback').comeBackIn({ eventSourceARN, receiptHandle: 'r' }, 60);
     console.log(JSON.stringify(await releaseInvoker('Orders')({ type: 'release' })));`,
    { ...KEYS, AWS_ENDPOINT_URL: endpoint },
  );

  expect(printed).toEqual({ end: 'released' });
  expect(asked).toEqual(['AmazonSQS.ChangeMessageVisibility', 'POST /2015-03-31/functions/Orders/invocations']);
});

test.for(['import', 'require'] as const)(
  'spans of the tracer that is bundled reach the SDK of the app, loaded by %s, also where that is set up later',
  async (form) => {
    const printed = await inOwnProcess(
      form,
      `import { trace } from '@opentelemetry/api';
       import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
       const { openTelemetryTracer } = await load('shared/adapters/telemetry/opentelemetry-tracer.js');
       const tracer = openTelemetryTracer();
       const exporter = new InMemorySpanExporter();
       trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
       const record = { topic: 'orders', partition: 3, kafkaOffset: 1042, headers: { text: () => undefined } };
       await tracer.trace([record], { group: 'shop-orders', attempt: 1 }, async () => undefined);
       console.log(JSON.stringify(exporter.getFinishedSpans().map(({ name }) => name)));`,
    );

    expect(printed).toEqual(['process orders']);
  },
);
