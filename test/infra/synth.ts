import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AlarmOptions } from '../../infra/constructs/alarm-options.ts';
import type { LockstepConsumerProps } from '../../infra/constructs/consumer-props.ts';
import type { KafkaCluster } from '../../infra/constructs/kafka-cluster.ts';
import { LockstepConsumer } from '../../infra/constructs/lockstep-consumer.ts';

/** A handler to bundle. */
export const ENTRY = 'test/infra/fixtures/handler.ts';

/** An existing cluster with IAM access control. */
export const CLUSTER = {
  clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
  vpcId: 'vpc-01234567',
  subnetIds: ['subnet-01234567', 'subnet-89abcdef'],
  securityGroupIds: ['sg-0123456789abcdef0'],
  auth: 'iam',
} as const satisfies KafkaCluster;

/** CloudFormation's own rules are errors. */
export const STRICT = { '@aws-cdk/core:validateAgainstDefaultRules': true };

/** The least that a consumer is told; its relay and operator functions have tests of their own. */
export const LEAST = {
  cluster: CLUSTER,
  topic: 'orders',
  entry: ENTRY,
  operations: false,
  // The handler to bundle is none of Lockstep's.
  checkHandler: false,
} as const satisfies LockstepConsumerProps;

/** The template of a stack `Shop` with what `build` puts into it. Bundles nothing unless asked: a bundle costs a second. */
export function synth(build: (stack: Stack) => void, { bundling = false } = {}): Template {
  const app = new App({ context: { ...STRICT, ...(bundling ? {} : { 'aws:cdk:bundling-stacks': [] }) } });
  const stack = new Stack(app, 'Shop');
  build(stack);
  return Template.fromStack(stack);
}

/** The template of a stack with one consumer, `Orders`. */
export function synthConsumer(props: Partial<LockstepConsumerProps> = {}): Template {
  return synth((stack) => {
    new LockstepConsumer(stack, 'Orders', { ...LEAST, ...props });
  });
}

/** The template of the nested stack with the alarms of a consumer `Orders` in a stack `Shop`. */
export function synthAlarms(
  props: Partial<LockstepConsumerProps> = {},
  build?: (stack: Stack) => AlarmOptions,
): Template {
  const app = new App({ context: { ...STRICT, 'aws:cdk:bundling-stacks': [] } });
  const stack = new Stack(app, 'Shop');
  const alarms = build?.(stack);
  const { all } = new LockstepConsumer(stack, 'Orders', { ...LEAST, ...(alarms && { alarms }), ...props }).alarms;
  const [first] = all;
  if (first === undefined) throw new Error('no alarms');
  return Template.fromStack(Stack.of(first.alarm));
}

/** Properties of the only resource of a type. */
export function only(template: Template, type: string): Readonly<Record<string, unknown>> {
  const found = Object.values(template.findResources(type));
  if (found.length !== 1) throw new Error(`expected one ${type}, got ${found.length}`);
  return found[0]?.['Properties'] ?? {};
}

/** A statement of a policy. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** What roles may do: inside them, and in policies beside them. @param id - how the logical ids of the roles begin. @default all */
export function roleStatements(template: Template, id = ''): Statement[] {
  const ofType = (type: string) =>
    Object.entries(template.findResources(type)).flatMap(([logicalId, { Properties }]) =>
      logicalId.startsWith(id) ? [Properties] : [],
    );
  const inside = ofType('AWS::IAM::Role').flatMap(({ Policies = [] }) => Policies);
  return [...inside, ...ofType('AWS::IAM::Policy')].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
