import { Duration, Validations } from 'aws-cdk-lib';
import { CfnRole, type IRole, PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, CfnFunction, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LockstepConsumerProps } from './consumer-props.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { BUNDLE_FILE, bundledFiles, handlerCode } from './handler-code.ts';
import { refuseHandler } from './handler-refusals.ts';
import { type KafkaCluster, securityGroupsOf } from './kafka-cluster.ts';
import { localCluster, thatIsHere } from './local-cluster.ts';
import { logsMayUse } from './logs-may-use.ts';
import { lookAtHandler } from './look-at-handler.ts';
import { permissionsOf } from './permissions.ts';
import { VPC_ACCESS_WITHOUT_RESOURCE, vpcAccess } from './vpc-access.ts';

/**
 * The function of a consumer with its own role and log group: CDK's role would have policies on `*`. Its permissions are inside
 * the role, since a stack has room for 500 resources only. What a user grants is a policy beside it.
 */
export class ConsumerFunction extends Construct {
  readonly role: IRole;
  /** What must be there before the mapping. */
  readonly permissions: Construct;
  readonly logGroup: LogGroup;
  readonly function: LambdaFunction;
  readonly logGroupName: string;

  constructor(
    scope: Construct,
    id: string,
    settings: ConsumerSettings & { readonly entry: string },
    props: LockstepConsumerProps,
    environment: Readonly<Record<string, string>>,
    grants: (logGroupArn: string) => PolicyStatement[],
    /** Whether synth looks at the handler. */
    isLookedAt = false,
  ) {
    super(scope, id);
    if (props.encryptionKey) logsMayUse(this, props.encryptionKey);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy: settings.removalPolicy,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
    this.logGroupName = this.logGroup.logGroupName;
    const statements = grants(this.logGroup.logGroupArn);
    const inVpc = settings.cluster.vpcId !== undefined;
    const given = thatIsHere(this, props.role);
    this.role = given ?? ownRole(this, statements, inVpc);
    this.permissions = given ? permissionsOf(this, given, statements, inVpc) : this.role;
    this.function = new LambdaFunction(this, 'Function', {
      architecture: Architecture.ARM_64,
      tracing: props.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.encryptionKey && { environmentEncryption: props.encryptionKey }),
      ...props.functionProps,
      runtime: Runtime.NODEJS_24_X,
      code: handlerCode(settings.entry, props.bundling, localCluster(this) !== undefined),
      handler: `${BUNDLE_FILE}.${settings.handlerExport}`,
      role: this.role,
      logGroup: this.logGroup,
      memorySize: settings.memoryMiB,
      timeout: Duration.seconds(settings.timeoutSeconds),
      environment: { ...settings.environment, ...environment, NODE_OPTIONS: '--enable-source-maps' },
    });
    if (given) this.function.node.addDependency(this.permissions);
    const files = isLookedAt ? bundledFiles(settings.entry, props.bundling) : undefined;
    if (files !== undefined) refuseHandler(scope, settings, lookAtHandler(files, settings.environment));
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

function ownRole(scope: Construct, statements: PolicyStatement[], inVpc: boolean): Role {
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      Lockstep: new PolicyDocument({ statements }),
      ...(inVpc && { VpcAccess: new PolicyDocument({ statements: vpcAccess() }) }),
    },
  });
  // Only of what is inside the role, not of what a user adds.
  if (inVpc && role.node.defaultChild instanceof CfnRole)
    Validations.of(role.node.defaultChild).acknowledge(VPC_ACCESS_WITHOUT_RESOURCE);
  return role;
}

/**
 * Places the function beside the brokers. Given to CloudFormation directly: CDK's imported VPCs and subnets warn about route
 * tables that are not needed.
 */
function vpcConfig(cluster: KafkaCluster): CfnFunction.VpcConfigProperty {
  return { subnetIds: [...(cluster.subnetIds ?? [])], securityGroupIds: securityGroupsOf(cluster) };
}
