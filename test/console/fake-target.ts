import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { consumersOf, type DeployedConsumer } from '../../cli/consumer.ts';
import type { Target } from '../../cli/target.ts';
import type { OperatorRequest } from '../../shared/operator/requests.ts';

/** A consumer as a stack's outputs tell of it. */
export function deployedConsumer(name: string): DeployedConsumer {
  const facts = {
    MappingId: `mapping-of-${name}`,
    Topic: name.toLowerCase(),
    ConsumerGroup: `group-of-${name}`,
    DeadLetterTopic: `${name.toLowerCase()}-dead-letters`,
    LedgerTable: 'ledger',
    ClusterId: 'cluster',
    FallbackQueueUrl: 'http://queue',
    AlarmPrefix: `Prod-${name}-`,
  };
  const [consumer] = consumersOf({ [`${name}LockstepConsumer`]: JSON.stringify(facts) });
  if (consumer === undefined) throw new Error('no consumer');
  return consumer;
}

/** What stands behind a fake target. */
export interface FakeCloud {
  consumers: readonly DeployedConsumer[];
  /** What the operator function answers. */
  operate: (consumer: DeployedConsumer, request: OperatorRequest) => Promise<unknown>;
  /** All requests so far. */
  readonly asked: OperatorRequest['type'][];
  mapping: object;
  /** Of each consumer, without the beginning of their names. */
  alarms?: readonly {
    readonly AlarmName: string;
    readonly StateValue: string;
    readonly StateTransitionedTimestamp?: Date;
  }[];
  /** The ledger's item of every partition. @default there is none */
  item?: object;
}

/** A target without a cloud: the mapping is enabled, and the queues are empty. */
export function fakeTarget(cloud: FakeCloud): Target {
  // The commands only call send.
  const client = <C>(answer: (input: { readonly AlarmNamePrefix?: string }) => object): C =>
    ({ send: async (command: { input: object }) => answer(command.input), destroy: () => undefined }) as C;
  return {
    consumers: cloud.consumers,
    dynamodb: client<DynamoDBClient>(() => (cloud.item === undefined ? {} : { Item: cloud.item })),
    lambda: client<LambdaClient>(() => cloud.mapping),
    sqs: client<SQSClient>(() => ({ Attributes: {} })),
    cloudwatch: client<CloudWatchClient>(({ AlarmNamePrefix = '' }) => ({
      MetricAlarms: cloud.alarms?.map((alarm) => ({ ...alarm, AlarmName: `${AlarmNamePrefix}${alarm.AlarmName}` })),
    })),
    who: async () => 'ann',
    operate: async (consumer, request) => {
      cloud.asked.push(request.type);
      return (await cloud.operate(consumer, request)) as never;
    },
    async *letterPages() {
      yield { letters: [], total: 0, foreign: 0 };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
