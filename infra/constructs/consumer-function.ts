import { Duration, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, CfnFunction, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LockstepConsumerProps } from './consumer-props.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { BUNDLE_FILE, handlerCode } from './handler-code.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { logsMayUse } from './logs-may-use.ts';
import { VpcAccess } from './vpc-access.ts';

/** The function of a consumer with its own role and log group: CDK's role would have policies on `*`. */
export class ConsumerFunction extends Construct {
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    settings: ConsumerSettings,
    props: LockstepConsumerProps,
    environment: Readonly<Record<string, string>>,
  ) {
    super(scope, id);
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    new VpcAccess(this.role, 'VpcAccess');
    if (props.encryptionKey) logsMayUse(this, props.encryptionKey);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: settings.removalPolicy,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
    this.function = new LambdaFunction(this, 'Function', {
      architecture: Architecture.ARM_64,
      tracing: props.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.encryptionKey && { environmentEncryption: props.encryptionKey }),
      ...props.functionProps,
      runtime: Runtime.NODEJS_24_X,
      code: handlerCode(settings.entry, props.bundling),
      handler: `${BUNDLE_FILE}.${settings.handlerExport}`,
      role: this.role,
      logGroup: this.logGroup,
      memorySize: settings.memoryMiB,
      timeout: Duration.seconds(settings.timeoutSeconds),
      environment: { ...settings.environment, ...environment, NODE_OPTIONS: '--enable-source-maps' },
    });
    if (props.tracing) {
      Validations.of(this.role).acknowledge({
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason: 'AWS requires this: the two actions of X-Ray support no resources.',
      });
    }
    const resource = this.function.node.defaultChild;
    if (settings.cluster.vpcId !== undefined && resource instanceof CfnFunction)
      resource.vpcConfig = vpcConfig(settings.cluster);
  }
}

/**
 * Places the function beside the brokers. Given to CloudFormation directly: CDK's imported VPCs and subnets warn about route
 * tables that are not needed.
 */
function vpcConfig({
  subnetIds = [],
  securityGroupIds = [],
  securityGroups = [],
}: KafkaCluster): CfnFunction.VpcConfigProperty {
  return {
    subnetIds: [...subnetIds],
    securityGroupIds: [...securityGroups.map(({ securityGroupId }) => securityGroupId), ...securityGroupIds],
  };
}
