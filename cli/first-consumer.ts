import { importPath, type Project } from './project.ts';

/** As in the README: made up. */
export const EXAMPLE_CLUSTER = {
  clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/11111111-2222-3333-4444-555555555555-1',
  vpcId: 'vpc-0123456789abcdef0',
  subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  auth: 'iam',
} as const;

/** The files of a first consumer, as the README shows them: handler, stack and test, by their paths in the project. */
export function firstConsumer(
  project: Project,
  { name, topic }: { readonly name: string; readonly topic: string },
): ReadonlyMap<string, string> {
  const handler = `lambda/${name}.ts`;
  const test = `test/${name}.test.ts`;
  return new Map([
    [handler, HANDLER.replaceAll('lambda/orders.ts', handler)],
    [`lib/${name}-stack.ts`, stack(name, topic, handler)],
    [test, testText(project, handler, name, topic)],
  ]);
}

/** `my-orders` as `MyOrders`. */
export function className(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const PACKAGE = 'lockstep';

const HANDLER = `// lambda/orders.ts
import { json, lockstepConsumer } from '${PACKAGE}';
import * as v from 'valibot';

const Order = v.object({ orderId: v.string(), amount: v.number() }); // or zod, arktype: any Standard Schema

export const handler = lockstepConsumer({
  value: json(Order),
  idempotencyKey: ({ value }) => value.orderId, // or byPosition: deduplicates by topic, partition and offset
  onRecord: ({ value, position }, { logger }) => logger.info('applied', { position, amount: value.amount }),
});
`;

function stack(name: string, topic: string, handler: string): string {
  return `// lib/${name}-stack.ts
import * as cdk from 'aws-cdk-lib';
import { type KafkaCluster, LockstepConsumer } from '${PACKAGE}/cdk';

export class ${className(name)}Stack extends cdk.Stack {
  constructor(scope: cdk.App, id: string, props?: cdk.StackProps) {
    super(scope, id, props);
    const cluster: KafkaCluster = this.node.getContext('cluster');
    new LockstepConsumer(this, '${className(name)}', { cluster, topic: '${topic}', entry: '${handler}' });
  }
}
`;
}

/** What each runner needs before its tests; jest has globals. */
const HEADER = {
  jest: '',
  vitest: "import { expect, test } from 'vitest';\n",
  'node:test': "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n",
} as const;

function testText(project: Project, handler: string, name: string, topic: string): string {
  const { folder, runner } = project;
  const settled = `{ '${topic}-0@0': 'handled' }`;
  const check =
    runner === 'node:test' ? `assert.deepEqual(outcomes, ${settled});` : `expect(outcomes).toEqual(${settled});`;
  const given = topic === 'orders' ? '{ value: order }' : `{ topic: '${topic}', value: order }`;
  return `// test/${name}.test.ts
${HEADER[runner]}import { deliver, record } from '${PACKAGE}/testing';
import { handler } from '${importPath(`${folder}/test`, `${folder}/${handler}`, project)}';

const order = { orderId: 'o-1', amount: 5 };

test('a crash after the work loses nothing', async () => {
  const { outcomes } = await deliver(handler, [record(${given})], { crash: { afterHandlerOf: '${topic}-0@0' } });
  ${check}
});
`;
}
