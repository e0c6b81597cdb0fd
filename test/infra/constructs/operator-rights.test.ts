import type { Stack } from 'aws-cdk-lib';
import { type IRole, Role } from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { LEAST, roleStatements, synth } from '../synth.ts';
import { tooWide } from '../too-wide.ts';

/** What a role may do, by statement: its actions, and how many resources. */
function rights(grant: (consumer: LockstepConsumer, role: IRole) => void) {
  const template = synth((stack: Stack) => {
    const consumer = new LockstepConsumer(stack, 'Orders', { ...LEAST, operations: true });
    grant(consumer, Role.fromRoleArn(stack, 'OnCall', 'arn:aws:iam::111122223333:role/on-call'));
  });
  expect(tooWide(template)).toEqual([]);
  return Object.fromEntries(roleStatements(template, 'OnCall').map(({ Sid, ...statement }) => [Sid, statement]));
}

const onOwnItems = {
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['partition#uuid-1#Shop-Orders#*'] },
  Null: { 'dynamodb:LeadingKeys': 'false' },
};
const operator = { 'Fn::GetAtt': [expect.stringMatching(/^OrdersOperationsOperatorFunction/), 'Arn'] };
const LOOK = {
  FindTheConsumer: expect.objectContaining({
    Action: 'cloudformation:DescribeStacks',
    Resource: { Ref: 'AWS::StackId' },
  }),
  SeeTheMapping: expect.objectContaining({ Action: 'lambda:GetEventSourceMapping' }),
  SeeTheQueues: expect.objectContaining({ Action: 'sqs:GetQueueAttributes' }),
  SeeTheLedger: expect.objectContaining({ Action: 'dynamodb:GetItem', Condition: onOwnItems }),
  AskTheOperator: expect.objectContaining({
    Action: 'lambda:InvokeFunction',
    Resource: { 'Fn::Join': ['', [operator, ':look']] },
  }),
};

test('who may look has no right that changes anything', () => {
  expect(rights((consumer, role) => consumer.grantLook(role))).toEqual(LOOK);
});

test('who may operate has these rights and those to pause, to change the ledger and to let the operator function act', () => {
  expect(rights((consumer, role) => consumer.grantOperate(role))).toEqual({
    ...LOOK,
    PauseAndResume: expect.objectContaining({ Action: 'lambda:UpdateEventSourceMapping' }),
    ChangeTheLedger: expect.objectContaining({
      Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      Condition: onOwnItems,
    }),
    LetTheOperatorAct: expect.objectContaining({ Action: 'lambda:InvokeFunction', Resource: operator }),
  });
});
