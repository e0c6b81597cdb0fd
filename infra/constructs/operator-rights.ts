import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LOOK_ALIAS } from '../../shared/operator/look-only.ts';
import { ledgerClusterId } from './kafka-cluster.ts';
import { onlyItems } from './ledger-items.ts';
import type { LockstepConsumer } from './lockstep-consumer.ts';

/** Permissions for the `lockstep` commands that change nothing. */
export function lookRights(consumer: LockstepConsumer): PolicyStatement[] {
  const { fallbackQueue, failureQueue, ledger, mapping, operations, settings } = consumer;
  const queues = failureQueue === undefined ? [fallbackQueue] : [fallbackQueue, failureQueue];
  const key = ledger.table.encryptionKey;
  return [
    statement('FindTheConsumer', ['cloudformation:DescribeStacks'], [Stack.of(consumer).stackId]),
    statement('SeeTheMapping', ['lambda:GetEventSourceMapping'], [mapping.eventSourceMappingArn]),
    statement(
      'SeeTheQueues',
      ['sqs:GetQueueAttributes'],
      queues.map(({ queueArn }) => queueArn),
    ),
    // The names of alarms begin with the stack's.
    statement(
      'SeeTheAlarms',
      ['cloudwatch:DescribeAlarms'],
      [
        Stack.of(consumer).formatArn({
          service: 'cloudwatch',
          resource: 'alarm',
          resourceName: '*',
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
    ),
    onLedger(consumer, 'SeeTheLedger', ['dynamodb:GetItem'], ['partition']),
    ...(settings.onExhausted === 'park'
      ? [onLedger(consumer, 'SeeParkedKeys', ['dynamodb:BatchGetItem', 'dynamodb:GetItem'], ['parked'])]
      : []),
    ...(operations === undefined
      ? []
      : [statement('AskTheOperator', ['lambda:InvokeFunction'], [`${operations.operator.functionArn}:${LOOK_ALIAS}`])]),
    ...(key === undefined ? [] : [statement('DecryptTheLedger', ['kms:Decrypt'], [key.keyArn])]),
  ];
}

/** Further permissions for all other commands: pause, resume, skip, reset, redrive, purge, replay, release, drop. */
export function operateRights(consumer: LockstepConsumer): PolicyStatement[] {
  const { ledger, mapping, operations, settings } = consumer;
  const key = ledger.table.encryptionKey;
  return [
    statement('PauseAndResume', ['lambda:UpdateEventSourceMapping'], [mapping.eventSourceMappingArn]),
    // Each change is kept with who made it and why, in the same transaction.
    onLedger(consumer, 'ChangeTheLedger', ['dynamodb:PutItem', 'dynamodb:UpdateItem'], ['partition', 'decisions']),
    ...(settings.onExhausted === 'park'
      ? [onLedger(consumer, 'DropParkedKeys', ['dynamodb:DeleteItem', 'dynamodb:UpdateItem'], ['parked'])]
      : []),
    ...(key === undefined
      ? []
      : [statement('EncryptTheLedger', ['kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'], [key.keyArn])]),
    ...(operations === undefined
      ? []
      : [statement('LetTheOperatorAct', ['lambda:InvokeFunction'], [operations.operator.functionArn])]),
  ];
}

function onLedger(
  { ledger, settings }: LockstepConsumer,
  sid: string,
  actions: string[],
  kinds: readonly ('partition' | 'decisions' | 'parked')[],
): PolicyStatement {
  const own = kinds.map((kind) => `${kind}#${ledgerClusterId(settings.cluster)}#${settings.consumerGroup}#*`);
  return new PolicyStatement({ sid, actions, resources: [ledger.table.tableArn], conditions: onlyItems(own) });
}

function statement(sid: string, actions: string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ sid, actions, resources });
}
