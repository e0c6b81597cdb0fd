import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { App, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { afterAll, expect, test } from 'vitest';
import type { LockstepConsumerProps } from '../../infra/constructs/consumer-props.ts';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { CLUSTER, LEAST } from './synth.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-diff-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Consumers = Readonly<Record<string, Partial<LockstepConsumerProps>>>;

/** What loses or repeats records when it is replaced. */
const WATCHED: Readonly<Record<string, string>> = {
  'AWS::Lambda::EventSourceMapping': 'mapping',
  'AWS::Lambda::Function': 'function',
  'AWS::MSK::Topic': 'topic',
  'AWS::SQS::Queue': 'queue',
};

const secret = Secret.fromSecretCompleteArn(
  new Stack(),
  'Secret',
  'arn:aws:secretsmanager:eu-central-1:111122223333:secret:kafka-AbCdEf',
);
const elsewhere = (bootstrapServers: string) =>
  ({ clusterId: 'own', bootstrapServers, auth: { type: 'scram', secret } }) as const;

/** One consumer for each row of the table in docs/deploying.md. */
const BEFORE: Consumers = {
  Tuned: {},
  Topic: {},
  Group: { consumerGroup: 'one' },
  Servers: { cluster: elsewhere('kafka-1.example:9093') },
  Start: {},
  Old: {},
  Cluster: {},
  Mode: {},
};
const AFTER: Consumers = {
  Tuned: { batchSize: 50 },
  Topic: { topic: 'others' },
  Group: { consumerGroup: 'two' },
  Servers: { cluster: elsewhere('kafka-2.example:9093') },
  Start: { startFrom: new Date('2026-11-21T00:00:00Z') },
  New: {},
  Cluster: { cluster: { ...CLUSTER, clusterArn: CLUSTER.clusterArn.replace('main/uuid-1', 'other/uuid-2') } },
  Mode: { mode: 'on-demand' },
};

function synthesized(outdir: string, consumers: Consumers) {
  const app = new App({ outdir: join(folder, outdir), context: { 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Shop');
  for (const [id, props] of Object.entries(consumers)) new LockstepConsumer(stack, id, { ...LEAST, ...props });
  return app.synth();
}

/** What `cdk diff` says of each consumer: what is added (+), removed (-) or changed (~), and how. */
async function diff(): Promise<Readonly<Record<string, string[]>>> {
  const before = join(folder, 'before.json');
  writeFileSync(before, JSON.stringify(synthesized('before', BEFORE).getStackByName('Shop').template));
  const { directory } = synthesized('after', AFTER);
  const args = ['diff', '--app', directory, '--template', before, '--no-color', '--no-notices', 'Shop'];
  const ran = await promisify(execFile)(process.execPath, [resolve('node_modules/aws-cdk/bin/cdk'), ...args]);
  const told: Record<string, string[]> = {};
  for (const line of stripVTControlCharacters(`${ran.stdout}\n${ran.stderr}`).split('\n')) {
    // A path and a logical id, or the id alone; what happens, where it is more than an update.
    const [, sign, type = '', place = '', what = ''] =
      /^\[([-+~])\] (\S+) (\S+).*?(replace|destroy|orphan|)$/.exec(line) ?? [];
    const consumer = Object.keys({ ...BEFORE, ...AFTER }).find((name) => place.startsWith(name));
    if (consumer === undefined || !(type in WATCHED)) continue;
    told[consumer] = [...(told[consumer] ?? []), `${sign} ${WATCHED[type]} ${what}`.trim()];
  }
  for (const lines of Object.values(told)) lines.sort();
  return told;
}

test('what docs/deploying.md says of each change is what cdk diff shows', async () => {
  expect(await diff()).toEqual({
    Tuned: ['~ mapping'],
    // Another mapping: an update in place would leave the old topic in it.
    Topic: ['+ mapping', '- mapping destroy', '~ function'],
    Group: ['~ function', '~ mapping replace', '~ topic replace'],
    Servers: ['~ function', '~ mapping replace'],
    Start: ['~ mapping replace'],
    Old: ['- function destroy', '- mapping destroy', '- queue orphan', '- topic orphan'],
    New: ['+ function', '+ mapping', '+ queue', '+ topic'],
    Cluster: ['~ function', '~ mapping replace', '~ topic replace'],
    Mode: ['~ function', '~ mapping'],
  });
});
