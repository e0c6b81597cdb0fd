import type { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { synthConsumer } from '../synth.ts';

/** What a queue's policy denies, without the demand for TLS: actions, and the roles that are spared. */
function denied(template: Template, queue: 'FallbackQueue' | 'FailureQueue'): Record<string, unknown> {
  const policies = Object.entries(template.findResources('AWS::SQS::QueuePolicy'));
  const found = policies.filter(([id]) => id.startsWith(`Orders${queue}Policy`));
  expect(found).toHaveLength(1);
  const statements: {
    readonly Sid?: string;
    readonly Effect: string;
    readonly Principal: unknown;
    readonly Action: unknown;
    readonly Resource: unknown;
    readonly Condition: { readonly ArnNotEquals?: Record<string, unknown> };
  }[] = found[0]?.[1]['Properties'].PolicyDocument.Statement;
  const own = statements.filter(({ Condition }) => Condition.ArnNotEquals !== undefined);
  expect(statements).toHaveLength(own.length + 1);
  for (const { Effect, Principal, Resource } of own)
    expect({ Effect, Principal, Resource }).toEqual({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Resource: { 'Fn::GetAtt': [expect.stringMatching(new RegExp(`^Orders${queue}`)), 'Arn'] },
    });
  return Object.fromEntries(own.map(({ Sid, Action, Condition }) => [Sid, { Action, Condition }]));
}

const role = (start: string) => ({ 'Fn::GetAtt': [expect.stringMatching(new RegExp(`^${start}Role`)), 'Arn'] });
const consumer = role('OrdersHandler');
const relay = role('OrdersOperationsRelay');
const TAKING = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:PurgeQueue', 'sqs:ReceiveMessage'];

test('only the consumer and its relay send to the fallback queue, and only the relay takes from it', () => {
  expect(denied(synthConsumer({ operations: true }), 'FallbackQueue')).toEqual({
    OnlyLockstepSends: {
      Action: 'sqs:SendMessage',
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': [consumer, relay] } },
    },
    OnlyTheRelayTakes: { Action: TAKING, Condition: { ArnNotEquals: { 'aws:PrincipalArn': [relay] } } },
  });
});

test('only the mapping, in the consumer’s role, sends to the failure queue', () => {
  const template = synthConsumer({ operations: true, onFailureDestination: { retryAttempts: 100 } });
  expect(denied(template, 'FailureQueue')).toEqual({
    OnlyLockstepSends: {
      Action: 'sqs:SendMessage',
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': [consumer] } },
    },
    OnlyTheRelayTakes: { Action: TAKING, Condition: { ArnNotEquals: { 'aws:PrincipalArn': [relay] } } },
  });
});

test('without a relay a person takes the letters out: only sending is denied', () => {
  expect(denied(synthConsumer({ operations: false }), 'FallbackQueue')).toEqual({
    OnlyLockstepSends: {
      Action: 'sqs:SendMessage',
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': [consumer] } },
    },
  });
});
