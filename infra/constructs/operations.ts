import { extname, resolve } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnAlias, EventSourceMapping, type IFunction, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { LOOK_ALIAS } from '../../shared/operator/look-only.ts';
import { redriveTransactionalId } from '../../shared/operator/transactional-id.ts';
import { ConsumerFunction } from './consumer-function.ts';
import type { LockstepConsumerProps } from './consumer-props.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { type OperationsFacts, operatorGrants, relayGrants } from './operations-grants.ts';

const FUNCTIONS = resolve(import.meta.dirname, '../../functions');
/** TypeScript here, JavaScript in the package. */
const HANDLER = `handler${extname(import.meta.filename)}`;
/** At most the visibility timeout of the queues. */
export const RELAY_TIMEOUT_SECONDS = 60;
/** The time limit of one call. A redrive that takes longer is called again. */
const OPERATOR_TIMEOUT_SECONDS = 300;
/** How often the relay checks the ledger: once for each period of its metrics. */
const SWEEP_EVERY = Duration.minutes(1);

/** What the relay and operator functions are made from. */
export interface OperationsProps
  extends Omit<OperationsFacts, 'logGroupArn' | 'transactionalId' | 'consumerFunctionArn'> {
  readonly consumer: LockstepConsumerProps;
  /** The consumer's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly fallbackQueue: Queue;
  readonly failureQueue: Queue | undefined;
  /** Invoked to release parked keys. */
  readonly consumerFunction: IFunction;
  readonly settings: ConsumerSettings;
}

/**
 * Two functions beside a consumer, each with a role of its own. The relay moves the messages of the queues to the dead-letter topic and
 * checks the ledger every minute. A message that it cannot move stays in its queue. The operator function does what the `lockstep`
 * command cannot do from outside the VPC. It runs only when it is invoked. Under its alias `look` it changes nothing.
 */
export class Operations extends Construct {
  readonly relay: LambdaFunction;
  readonly relayRole: IRole;
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
    for (const [name, queue] of Object.entries({ Fallback: props.fallbackQueue, Failures: props.failureQueue })) {
      if (queue === undefined) continue;
      new EventSourceMapping(this, name, {
        target: this.relay,
        eventSourceArn: queue.queueArn,
        batchSize: 10,
        reportBatchItemFailures: true,
      });
    }
    new Rule(this, 'Sweep', {
      description: 'The relay checks the ledger for blocked records and for records that Lambda did not redeliver.',
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
    const { settings, consumer, consumerFunction } = props;
    const { release } = settings;
    const environment = {
      ...props.environment,
      [ENVIRONMENT.consumerFunction]: consumerFunction.functionName,
      ...(release && {
        [ENVIRONMENT.releaseEveryMs]: String(release.everyMs),
        [ENVIRONMENT.releaseMaxRounds]: String(release.maxRounds),
      }),
    };
    const { functionProps: _, bundling: __, role: ___, ...shared } = consumer;
    const own = { entry: resolve(FUNCTIONS, entry), handlerExport: 'handler', timeoutSeconds, environment: {} };
    const transactionalId = redriveTransactionalId({
      group: settings.consumerGroup,
      deadLetterTopic: settings.deadLetterTopic.topicName,
    });
    const consumerFunctionArn = consumerFunction.functionArn;
    return new ConsumerFunction(this, id, { ...settings, ...own }, shared, environment, (logGroupArn) =>
      grants({ ...props, logGroupArn, consumerFunctionArn, transactionalId }),
    );
  }
}
