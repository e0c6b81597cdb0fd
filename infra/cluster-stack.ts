import { Stack, type StackProps } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DEFAULT_RUNBOOK_URL } from './constructs/alarm-options.ts';
import { brokerAlarmDefinitions } from './constructs/broker-alarm-definitions.ts';
import { BROKERS, MskCluster } from './constructs/msk-cluster.ts';
import type { StageConfig } from './stage-config.ts';
import { givenKey } from './stage-key.ts';

/** Properties of {@link ClusterStack}. */
export interface ClusterStackProps extends StackProps {
  readonly cluster: Extract<StageConfig['cluster'], { readonly type: 'new' }>;
  /** A KMS key for everything that is stored. @default keys of AWS */
  readonly encryptionKeyArn?: string;
}

/**
 * What consumers need and an empty account lacks: an isolated VPC over three zones, an MSK cluster, endpoints, broker alarms.
 */
export class ClusterStack extends Stack {
  readonly cluster: MskCluster;

  constructor(scope: Construct, id: string, { cluster, encryptionKeyArn, ...props }: ClusterStackProps) {
    super(scope, id, props);
    const key = givenKey(this, encryptionKeyArn);
    const vpc = isolatedVpc(this, cluster.zones, key);
    this.cluster = new MskCluster(this, 'Cluster', {
      vpc,
      clusterName: id,
      kafkaVersion: cluster.kafkaVersion,
      brokerType: cluster.brokerType,
      storageGiBPerBroker: cluster.storageGiBPerBroker,
      ...key,
    });
    this.endpoints(vpc);
    for (const definition of brokerAlarmDefinitions(this.cluster.clusterName, BROKERS)) {
      new Alarm(this, definition.name, {
        alarmName: `${this.stackName}-${definition.name}`,
        alarmDescription: `${definition.means} First: ${definition.firstStep} ${DEFAULT_RUNBOOK_URL}#${definition.anchor}`,
        metric: definition.metric,
        threshold: definition.threshold,
        comparisonOperator: definition.comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: definition.periods,
        treatMissingData: definition.missing ?? TreatMissingData.NOT_BREACHING,
      });
    }
  }

  /**
   * Functions reach DynamoDB through a gateway endpoint (free), and SQS, the API of MSK and Lambda through interface endpoints.
   * Nothing else is reachable, and there is no NAT.
   */
  private endpoints(vpc: IVpc): void {
    vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB });
    const securityGroup = new SecurityGroup(this, 'SqsEndpoint', {
      vpc,
      description: 'SQS endpoint',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.cluster.securityGroup, Port.tcp(443), 'SQS from functions');
    vpc.addInterfaceEndpoint('Sqs', {
      service: InterfaceVpcEndpointAwsService.SQS,
      securityGroups: [securityGroup],
      open: false,
    });
    // The functions ask MSK for its brokers.
    vpc.addInterfaceEndpoint('Kafka', {
      service: new InterfaceVpcEndpointAwsService('kafka'),
      securityGroups: [securityGroup],
      open: false,
    });
    // Relay and operator function invoke the consumer to release parked keys.
    vpc.addInterfaceEndpoint('Lambda', {
      service: InterfaceVpcEndpointAwsService.LAMBDA,
      securityGroups: [securityGroup],
      open: false,
    });
  }
}

/** Zones are named: looking them up would need credentials at synth. */
function isolatedVpc(scope: Construct, zones: readonly string[], key: { readonly encryptionKey?: IKey }): IVpc {
  const vpc = new Vpc(scope, 'Vpc', {
    availabilityZones: [...zones],
    natGateways: 0,
    subnetConfiguration: [{ name: 'Brokers', subnetType: SubnetType.PRIVATE_ISOLATED }],
    flowLogs: {
      Rejected: {
        trafficType: FlowLogTrafficType.REJECT,
        ...(key.encryptionKey && {
          destination: FlowLogDestination.toCloudWatchLogs(new LogGroup(scope, 'RejectedLogs', key)),
        }),
      },
    },
  });
  // CDK's class and interface differ only under exactOptionalPropertyTypes.
  return vpc as IVpc;
}
