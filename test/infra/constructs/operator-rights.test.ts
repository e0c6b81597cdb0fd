import type { Stack } from 'aws-cdk-lib';
import { type IRole, Role } from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import type { LockstepConsumerProps } from '../../../infra/constructs/consumer-props.ts';
import { LockstepConsumer } from '../../../infra/constructs/lockstep-consumer.ts';
import { decisionsKey } from '../../../shared/operator/change-partition.ts';
import { ledgerKey } from '../../../shared/record/item-identifier.ts';
import { LEAST, roleStatements, synth } from '../synth.ts';
import { tooWide } from '../too-wide.ts';

/** What a role may do, by statement: its actions, and how many resources. */
function rights(grant: (consumer: LockstepConsumer, role: IRole) => void, props: Partial<LockstepConsumerProps> = {}) {
  const template = synth((stack: Stack) => {
    const consumer = new LockstepConsumer(stack, 'Orders', { ...LEAST, operations: true, ...props });
    grant(consumer, Role.fromRoleArn(stack, 'OnCall', 'arn:aws:iam::111122223333:role/on-call'));
  });
  expect(tooWide(template)).toEqual([]);
  return Object.fromEntries(roleStatements(template, 'OnCall').map(({ Sid, ...statement }) => [Sid, statement]));
}

const onItems = (...keys: string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});
const operator = { 'Fn::GetAtt': [expect.stringMatching(/^OrdersOperationsOperatorFunction/), 'Arn'] };
const LOOK = {
  FindTheConsumer: expect.objectContaining({
    Action: 'cloudformation:DescribeStacks',
    Resource: { Ref: 'AWS::StackId' },
  }),
  SeeTheMapping: expect.objectContaining({ Action: 'lambda:GetEventSourceMapping' }),
  SeeTheQueues: expect.objectContaining({ Action: 'sqs:GetQueueAttributes' }),
  SeeTheAlarms: expect.objectContaining({ Action: 'cloudwatch:DescribeAlarms' }),
  SeeTheLedger: expect.objectContaining({
    Action: 'dynamodb:GetItem',
    Condition: onItems('partition#uuid-1#Shop-Orders#*'),
  }),
  AskTheOperator: expect.objectContaining({
    Action: 'lambda:InvokeFunction',
    Resource: { 'Fn::Join': ['', [operator, ':look']] },
  }),
};

test('who may look has no right that changes anything', () => {
  expect(rights((consumer, role) => consumer.grantLook(role))).toEqual(LOOK);
});

test('who may operate has these rights and those to pause, to change the ledger and to let the operator function act', () => {
  expect(rights((consumer, role) => consumer.grantOperator(role))).toEqual({
    ...LOOK,
    PauseAndResume: expect.objectContaining({ Action: 'lambda:UpdateEventSourceMapping' }),
    ChangeTheLedger: expect.objectContaining({
      Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
      Condition: onItems('partition#uuid-1#Shop-Orders#*', 'decisions#uuid-1#Shop-Orders#*'),
    }),
    LetTheOperatorAct: expect.objectContaining({ Action: 'lambda:InvokeFunction', Resource: operator }),
  });
});

test('where keys park, who looks may see them, and who operates may give up on them', () => {
  const onParked = onItems('parked#uuid-1#Shop-Orders#*');
  expect(rights((consumer, role) => consumer.grantOperator(role), { retry: { onExhausted: 'park' } })).toMatchObject({
    SeeParkedKeys: { Action: ['dynamodb:BatchGetItem', 'dynamodb:GetItem'], Condition: onParked },
    DropParkedKeys: { Action: ['dynamodb:DeleteItem', 'dynamodb:UpdateItem'], Condition: onParked },
  });
});

test('the items that the commands write are those that the rights name', () => {
  const partition = { cluster: 'uuid-1', group: 'Shop-Orders', topic: 'orders', partition: 3 };
  expect(ledgerKey(partition)).toMatch(/^partition#uuid-1#Shop-Orders#/);
  expect(decisionsKey(partition)).toMatch(/^decisions#uuid-1#Shop-Orders#/);
});
