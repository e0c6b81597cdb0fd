import { extname, resolve } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { CfnAlias, EventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { LOOK_ALIAS } from '../../shared/operator/look-only.ts';
import { redriveTransactionalId } from '../../shared/operator/transactional-id.ts';
import { ConsumerFunction } from './consumer-function.ts';
import type { LockstepConsumerProps } from './consumer-props.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { type OperationsFacts, operatorGrants, relayGrants } from './operations-grants.ts';

const FUNCTIONS = resolve(import.meta.dirname, '../../functions');
/** TypeScript here, JavaScript in the package. */
const HANDLER = `handler${extname(import.meta.filename)}`;
/** At most the time for which the queues hide what they handed out. */
export const RELAY_TIMEOUT_SECONDS = 60;
/** A redrive works in slices of this; the caller asks for the next. */
const OPERATOR_TIMEOUT_SECONDS = 300;
/** So often the relay looks over the ledger: as often as its metrics are asked for. */
const SWEEP_EVERY = Duration.minutes(1);

/** What the relay and operator functions are made from. */
export interface OperationsProps extends Omit<OperationsFacts, 'logGroupArn' | 'transactionalId'> {
  readonly consumer: LockstepConsumerProps;
  /** The consumer's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly fallbackQueue: Queue;
  readonly failureQueue: Queue | undefined;
  readonly settings: ConsumerSettings;
}

/**
 * Two functions beside a consumer. The relay empties its queues into the dead-letter topic and looks over its ledger every minute;
 * what it cannot place stays in the queue. The operator function does what `lockstep` cannot do from outside the VPC, and only
 * when it is invoked; under its alias `look` it changes nothing. Each has a role of its own.
 */
export class Operations extends Construct {
  readonly relay: LambdaFunction;
  readonly relayRole: Role;
  readonly operator: LambdaFunction;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    const relay = this.operationsFunction('Relay', `relay/${HANDLER}`, RELAY_TIMEOUT_SECONDS, props, relayGrants);
    this.relay = relay.function;
    this.relayRole = relay.role;
    this.operator = this.operationsFunction(
      'Operator',
      `redrive/${HANDLER}`,
      OPERATOR_TIMEOUT_SECONDS,
      props,
      operatorGrants,
    ).function;
    new CfnAlias(this, 'Look', {
      name: LOOK_ALIAS,
      functionName: this.operator.functionName,
      functionVersion: '$LATEST',
    });
    for (const [name, queue] of Object.entries({ Fallback: props.fallbackQueue, Net: props.failureQueue })) {
      if (queue === undefined) continue;
      const mapping = new EventSourceMapping(this, name, {
        target: this.relay,
        eventSourceArn: queue.queueArn,
        batchSize: 10,
        reportBatchItemFailures: true,
      });
      mapping.node.addDependency(this.relayRole);
    }
    new Rule(this, 'Sweep', {
      description: 'The relay looks over the ledger: blocked records, and what the mapping has lost.',
      schedule: Schedule.rate(SWEEP_EVERY),
      targets: [
        new LambdaTarget(this.relay, { event: RuleTargetInput.fromObject({ type: 'sweep' }), retryAttempts: 0 }),
      ],
    });
  }

  private operationsFunction(
    id: string,
    entry: string,
    timeoutSeconds: number,
    props: OperationsProps,
    grants: (facts: OperationsFacts) => PolicyStatement[],
  ): ConsumerFunction {
    const { settings, consumer, environment } = props;
    const { functionProps: _, bundling: __, ...shared } = consumer;
    const own = { entry: resolve(FUNCTIONS, entry), handlerExport: 'handler', timeoutSeconds, environment: {} };
    const made = new ConsumerFunction(this, id, { ...settings, ...own }, shared, environment);
    const transactionalId = redriveTransactionalId({
      group: settings.consumerGroup,
      deadLetterTopic: settings.deadLetterTopic.topicName,
    });
    for (const grant of grants({ ...props, logGroupArn: made.logGroup.logGroupArn, transactionalId }))
      made.role.addToPrincipalPolicy(grant);
    return made;
  }
}
