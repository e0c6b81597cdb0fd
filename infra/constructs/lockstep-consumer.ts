import { Annotations, type CfnResource, type RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import type { EventSourceMapping, IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT, NAMESPACE_SEPARATOR } from '../../shared/environment.ts';
import { METRICS_NAMESPACE, type Watched } from './alarm-definition.ts';
import { alarmPrefix, ConsumerAlarms } from './consumer-alarms.ts';
import { ConsumerFunction } from './consumer-function.ts';
import { commandName, consumerOutput } from './consumer-output.ts';
import type { LockstepConsumerProps } from './consumer-props.ts';
import { type ConsumerSettings, consumerSettings } from './consumer-settings.ts';
import { stackDashboard } from './consumers-dashboard.ts';
import { DeadLetterTopic } from './dead-letter-topic.ts';
import { eventSource } from './event-source.ts';
import { AdoptedFunction } from './existing-function.ts';
import { consumerGrants } from './grants.ts';
import { clusterArnOrId, clusterName, eventSourceArn, ledgerClusterId } from './kafka-cluster.ts';
import { type Ledger, LedgerTable } from './ledger-table.ts';
import { localCluster, thatIsHere } from './local-cluster.ts';
import { warnOfLostGroups } from './lost-groups.ts';
import { Operations } from './operations.ts';
import { lookRights, operateRights } from './operator-rights.ts';
import { ParkingQueue } from './parking-queue.ts';
import { consumersOfApp, refuse } from './refuse.ts';

/**
 * A Kafka consumer: one function, its mapping, permissions, dead-letter topic, queues and alarms. Records leave a partition
 * only handled or dead-lettered: Lambda's retries are infinite, and there is no on-failure destination unless
 * `onFailureDestination` asks for one.
 *
 * @throws RefusalError for combinations that would lose records or block them unseen; docs/deploying.md lists them
 */
export class LockstepConsumer extends Construct implements IGrantable {
  /** The function's role, for `table.grantWriteData(consumer)` and the like. */
  readonly grantPrincipal: IPrincipal;
  readonly function: LambdaFunction;
  readonly mapping: EventSourceMapping;
  readonly ledger: Ledger;
  /** Dead letters that the topic refused, and offsets that Lambda lost. */
  readonly fallbackQueue: Queue;
  /** Records that the function never got; with `onFailureDestination`. */
  readonly failureQueue: Queue | undefined;
  /** The relay and the operator function; unless `operations` is false. */
  readonly operations: Operations | undefined;
  readonly alarms: ConsumerAlarms;
  readonly settings: ConsumerSettings;

  constructor(scope: Construct, id: string, props: LockstepConsumerProps) {
    super(scope, id);
    const settings = consumerSettings(this, props);
    refuse(this, settings);
    warnOfLostGroups(this, () =>
      consumersOfApp(this).map((one) => ({ group: one.consumerGroup, topic: one.source.topicName })),
    );
    const parking = {
      removalPolicy: settings.removalPolicy,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    };
    this.settings = settings;
    this.ledger = givenLedger(this, props.ledger) ?? stackLedger(this, parking);
    const fallbackQueue = new ParkingQueue(this, 'FallbackQueue', parking);
    const failureQueue =
      settings.failureRetryAttempts === undefined ? undefined : new ParkingQueue(this, 'FailureQueue', parking);
    this.fallbackQueue = fallbackQueue;
    this.failureQueue = failureQueue;

    const keys = [props.encryptionKey, this.ledger.table.encryptionKey].filter((key) => key !== undefined);
    const facts = {
      settings,
      ledgerTableArn: this.ledger.table.tableArn,
      fallbackQueueArn: this.fallbackQueue.queueArn,
      ...(this.failureQueue && { failureQueueArn: this.failureQueue.queueArn }),
      encryptionKeyArns: [...new Set(keys.map(({ keyArn }) => keyArn))],
    };
    const grants = (logGroupArn: string) => consumerGrants({ ...facts, logGroupArn });
    const looks = props.checkHandler !== false;
    const { entry = '', existing } = settings;
    const handler =
      existing?.function === undefined
        ? new ConsumerFunction(this, 'Handler', { ...settings, entry }, props, this.environment(), grants, looks)
        : new AdoptedFunction(this, 'Handler', existing.function, this.environment(), consumerGrants(facts));
    // CDK's types do not know `exactOptionalPropertyTypes`.
    const target = (existing?.target ?? handler.function) as IFunction;
    this.function = handler.function;
    this.grantPrincipal = handler.role.grantPrincipal;

    this.mapping = eventSource(this, eventSourceId(settings), settings, {
      target,
      ...(props.filters && { filters: props.filters }),
      ...(props.schemaRegistry && { schemaRegistry: props.schemaRegistry }),
      ...(this.failureQueue && { failureQueue: this.failureQueue }),
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
    // A mapping that is created before its permissions or its topics cannot connect.
    // https://github.com/aws/aws-cdk/issues/18571
    const topics = this.topics(props);
    this.mapping.node.addDependency(handler.permissions, ...topics);
    this.operations =
      props.operations === false
        ? undefined
        : new Operations(this, 'Operations', {
            ...facts,
            consumer: props,
            environment: this.environment(),
            fallbackQueue: this.fallbackQueue,
            failureQueue: this.failureQueue,
            consumerFunction: target,
          });
    const relay = this.operations?.relayRole;
    const receivers = relay && { receivers: [relay] };
    fallbackQueue.reserveFor({ senders: relay ? [handler.role, relay] : [handler.role], ...receivers });
    failureQueue?.reserveFor({ senders: [handler.role], ...receivers });
    if (topics.length > 0) this.operations?.node.addDependency(...topics);
    // Nothing is read before all is there: a deployment that fails earlier leaves no half-done work.
    if (this.operations) this.mapping.node.addDependency(this.operations);
    this.alarms = new ConsumerAlarms(this, 'Alarms', {
      watched: this.watched(handler.logGroupName),
      options: props.alarms,
      nested: !settings.onLocalCloud,
    });
    if (props.dashboard !== false) stackDashboard(this).add(this);
    if (!settings.onLocalCloud && !props.alarms?.page && !props.alarms?.ticket) this.warnOfSilentAlarms();
    this.publish(props);
  }

  /** Lets a principal use the `lockstep` commands that change nothing. */
  grantLook(grantee: IGrantable): void {
    for (const right of lookRights(this)) grantee.grantPrincipal.addToPrincipalPolicy(right);
  }

  /** Lets a principal, such as the role of who is on call, use all `lockstep` commands, and nothing else. */
  grantOperator(grantee: IGrantable): void {
    this.grantLook(grantee);
    for (const right of operateRights(this)) grantee.grantPrincipal.addToPrincipalPolicy(right);
  }

  /** Once for a stack. */
  private warnOfSilentAlarms(): void {
    Annotations.of(Stack.of(this)).addWarningV2(
      'lockstep:alarms-notify-nobody',
      `alarms of this stack’s consumers notify nobody. Set \`alarms: { page, ticket }\`, each an SNS topic (\`new AlarmTopic(this, 'Page', { email })\`)`,
    );
  }

  private environment(): Record<string, string> {
    const { cluster, consumerGroup, consumerName, deadLetterTopic, decodesValues, failureMode, stackName } =
      this.settings;
    const { bootstrapServers } = cluster;
    return {
      [ENVIRONMENT.ledgerTable]: this.ledger.table.tableName,
      [ENVIRONMENT.consumerGroup]: consumerGroup,
      [ENVIRONMENT.deadLetterTopic]: deadLetterTopic.topicName,
      [ENVIRONMENT.fallbackQueueUrl]: this.fallbackQueue.queueUrl,
      [ENVIRONMENT.eventSourceArn]: eventSourceArn(cluster),
      [ENVIRONMENT.topic]: this.settings.source.topicName,
      [ENVIRONMENT.maxAttempts]: String(this.settings.maxAttempts),
      [ENVIRONMENT.maxInterruptions]: String(this.settings.maxInterruptions),
      [ENVIRONMENT.onExhausted]: this.settings.onExhausted,
      [ENVIRONMENT.keyNamespaces]: this.settings.keyNamespaces.join(NAMESPACE_SEPARATOR),
      [ENVIRONMENT.clusterArn]: clusterArnOrId(cluster),
      ...(bootstrapServers !== undefined && { [ENVIRONMENT.bootstrapServers]: bootstrapServers }),
      [ENVIRONMENT.kafkaAuth]: typeof cluster.auth === 'object' ? cluster.auth.type : cluster.auth,
      ...(typeof cluster.auth === 'object' && { [ENVIRONMENT.kafkaSecretArn]: cluster.auth.secret.secretArn }),
      ...(cluster.rootCertificate && { [ENVIRONMENT.kafkaRootArn]: cluster.rootCertificate.secretArn }),
      [ENVIRONMENT.valuesDecodedByMapping]: String(decodesValues),
      [ENVIRONMENT.failureMode]: failureMode,
      [ENVIRONMENT.commandTarget]: this.commandTarget(),
      [ENVIRONMENT.metricsNamespace]: METRICS_NAMESPACE,
      [ENVIRONMENT.serviceName]: consumerName,
      [ENVIRONMENT.stackName]: stackName,
    };
  }

  /** The options with which `lockstep` finds the consumer. */
  private commandTarget(): string {
    const { consumerName, onLocalCloud, stackName } = this.settings;
    const where = onLocalCloud ? '--local' : `--stack ${stackName}`;
    return `${where} --consumer ${commandName(consumerName)}`;
  }

  private topics({ topic, deadLetterTopic }: LockstepConsumerProps): Construct[] {
    const given = [topic, deadLetterTopic].filter((one) => one instanceof Construct);
    if (!this.settings.deadLetterTopicIsOurs) return given;
    const { cluster, source, deadLetterTopic: letters } = this.settings;
    const made = new DeadLetterTopic(this, 'DeadLetterTopic', {
      cluster,
      topicName: letters.topicName,
      partitions: letters.partitions,
      sourceMaxRecordBytes: source.maxRecordBytes,
    });
    return [...given, made];
  }

  private watched(logGroupName: string): Watched {
    const { cluster, consumerGroup, consumerName, failureMode, mode, source, timeoutSeconds } = this.settings;
    return {
      consumerName,
      stackName: this.settings.stackName,
      consumerGroup,
      timeoutSeconds,
      parks: this.settings.onExhausted === 'park',
      topic: source.topicName,
      commandTarget: this.commandTarget(),
      clusterName: clusterName(cluster),
      functionName: this.function.functionName,
      logGroupName,
      mappingId: this.mapping.eventSourceMappingId,
      fallbackQueueName: this.fallbackQueue.queueName,
      ...(this.failureQueue && { failureQueueName: this.failureQueue.queueName }),
      ...(this.operations && { relayLogGroupName: this.operations.relay.logGroup.logGroupName }),
      provisioned: mode === 'provisioned',
      throws: failureMode === 'throw',
      clusterIsOurs: cluster.clusterId === undefined && cluster.vpcConnectionArn === undefined,
    };
  }

  /**
   * Publishes where everything is: an output for tools, and facts about topics beside the mapping for those who create
   * them.
   */
  private publish({ bundling }: LockstepConsumerProps): void {
    const { consumerGroup, consumerName, deadLetterTopic, entry, handlerExport, producesTo, source } = this.settings;
    consumerOutput(this, consumerName, {
      FunctionName: (this.settings.existing?.target ?? this.function).functionName,
      MappingId: this.mapping.eventSourceMappingId,
      Topic: source.topicName,
      ConsumerGroup: consumerGroup,
      DeadLetterTopic: deadLetterTopic.topicName,
      FallbackQueueUrl: this.fallbackQueue.queueUrl,
      ...(this.failureQueue && { FailureQueueUrl: this.failureQueue.queueUrl }),
      LedgerTable: this.ledger.table.tableName,
      ClusterId: ledgerClusterId(this.settings.cluster),
      ...(this.operations && {
        RelayFunctionName: this.operations.relay.functionName,
        OperatorFunctionName: this.operations.operator.functionName,
      }),
      AlarmPrefix: alarmPrefix(this.alarms.watched),
    });
    const mapping = this.mapping.node.defaultChild as CfnResource;
    mapping.addMetadata('Lockstep', {
      consumerName,
      consumerGroup,
      topic: source,
      deadLetterTopic,
      producesTo,
      ...(entry !== undefined && { entry, handlerExport }),
      // `lockstep dev` bundles the handler again when it is edited.
      ...(localCluster(this) && { bundling }),
    });
  }
}

/**
 * Contains the topic, so that another topic gets another mapping. CloudFormation would update the mapping in place, and Lambda is
 * reported to go on with the old topic then. https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2140
 */
function eventSourceId({ source: { topicName } }: ConsumerSettings): string {
  return Token.isUnresolved(topicName) ? 'EventSource' : `EventSource-${topicName}`;
}

function givenLedger(scope: Construct, ledger: Ledger | undefined): Ledger | undefined {
  return ledger && thatIsHere(scope, ledger.table) && ledger;
}

/** The ledger that the consumers of a stack share by default. */
function stackLedger(scope: Construct, options: { readonly removalPolicy: RemovalPolicy }): Ledger {
  const stack = Stack.of(scope);
  const existing = stack.node.tryFindChild('LockstepLedger');
  return existing instanceof LedgerTable ? existing : new LedgerTable(stack, 'LockstepLedger', options);
}
