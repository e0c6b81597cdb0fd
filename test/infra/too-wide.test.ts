import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { expect, test } from 'vitest';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';
import { stageConfig } from '../../infra/stage-config.ts';
import { addStageStacks } from '../../infra/stage-stacks.ts';
import { LEAST, synth } from './synth.ts';
import { tooWide } from './too-wide.ts';

/** A consumer with everything that brings grants. */
function everything(add: (consumer: LockstepConsumer) => void = () => undefined): Template {
  return synth((stack) => {
    const consumer = new LockstepConsumer(stack, 'Orders', {
      ...LEAST,
      operations: true,
      onFailureDestination: { retryAttempts: 100 },
      keyNamespaces: ['payments'],
      producesTo: ['shipments'],
      encryptionKey: new Key(stack, 'Key'),
      tracing: true,
    });
    consumer.grantOperator(Role.fromRoleArn(stack, 'OnCall', 'arn:aws:iam::111122223333:role/on-call'));
    add(consumer);
  });
}

test('no grant of a consumer reaches further than one named thing, and nobody may invoke its functions but their schedule', () => {
  expect(tooWide(everything())).toEqual([]);
});

const NOTHING = { clusterArn: undefined, creditCheckUrl: undefined, region: undefined, alarmEmail: 'a@example.com' };

test.each(['example', 'cluster'])('nor does any in the stacks of stage %s', (stage) => {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  addStageStacks(app, stageConfig({ ...NOTHING, stage }));
  const stacks = app.node.children.filter((child) => child instanceof Stack);
  expect(stacks.length).toBeGreaterThan(1);

  expect(stacks.flatMap((stack) => tooWide(Template.fromStack(stack)))).toEqual([]);
});

test.each<[string, (consumer: LockstepConsumer) => void, RegExp]>([
  ['all actions of a service', (c) => allow(c, ['dynamodb:*'], [c.ledger.table.tableArn]), /a wildcard in its actions/],
  ['some actions by a wildcard', (c) => allow(c, ['sqs:Send*'], [c.fallbackQueue.queueArn]), /wildcard in its actions/],
  ['every table', (c) => allow(c, ['dynamodb:GetItem'], ['*']), /a wildcard in its resources/],
  ['every queue whose name begins so', (c) => allow(c, ['sqs:SendMessage'], ['arn:aws:sqs:*:*:Shop*']), /resources/],
  ['a queue of that name anywhere', (c) => allow(c, ['sqs:SendMessage'], ['arn:aws:sqs:*:*:Shop']), /resources/],
  [
    'a key of any id',
    (c) => allow(c, ['kms:Decrypt'], ['arn:aws:kms:eu-central-1:111122223333:key/*']),
    /a wildcard in its resources/,
  ],
  [
    'any character of a name',
    (c) => allow(c, ['sqs:SendMessage'], ['arn:aws:sqs:eu-central-1:111122223333:Sho?']),
    /resources/,
  ],
  ['everything below the ledger', (c) => allow(c, ['dynamodb:Query'], [`${c.ledger.table.tableArn}/*`]), /resources/],
  [
    'all but one action',
    (c) => c.function.addToRolePolicy(new PolicyStatement({ notActions: ['iam:*'], resources: ['arn:aws:s3:::b'] })),
    /all but/,
  ],
  ['the queue for the account', (c) => c.fallbackQueue.grantSendMessages(new AccountRootPrincipal()), /whole account/],
  ['the function for the account', (c) => c.function.grantInvoke(new AccountRootPrincipal()), /may invoke/],
  ['the function for another service', (c) => c.function.grantInvoke(new ServicePrincipal('s3.amazonaws.com')), /s3/],
  ['a URL', (c) => c.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }), /a function URL/],
  ['the operator for the account', (c) => c.operations?.operator.grantInvoke(new AccountRootPrincipal()), /may invoke/],
])('a grant that is added is found: %s', (_name, add, says) => {
  expect(tooWide(everything(add))).toEqual([expect.stringMatching(says)]);
});

function allow(consumer: LockstepConsumer, actions: string[], resources: string[]): void {
  consumer.function.addToRolePolicy(new PolicyStatement({ actions, resources }));
}
