import { RemovalPolicy } from 'aws-cdk-lib';
import { type IVpc, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnCluster, CfnConfiguration } from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import type { MskKafka } from './kafka-cluster.ts';
import { localCluster } from './local-cluster.ts';
import { logsMayUse } from './logs-may-use.ts';

/** Where clients with IAM access control connect. https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html */
export const IAM_PORT = 9098;

/** One broker in each of three zones. */
export const BROKERS = 3;

/** Properties of {@link MskCluster}. */
export interface MskClusterProps {
  readonly vpc: IVpc;
  readonly clusterName: string;
  readonly kafkaVersion: string;
  readonly brokerType: string;
  readonly storageGiBPerBroker: number;
  /** For the brokers' disks and logs. @default the account's own key for MSK */
  readonly encryptionKey?: IKey;
}

/**
 * A provisioned MSK cluster without ZooKeeper: IAM only, encrypted at rest and in transit, with logs and lag metrics for each
 * partition.
 */
export class MskCluster extends Construct implements MskKafka {
  readonly auth = 'iam';
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  /**
   * For brokers, for the mapping's network interfaces (they have the cluster's groups) and for functions. Its members may
   * connect to each other.
   */
  readonly securityGroup: SecurityGroup;
  readonly securityGroups: readonly SecurityGroup[];

  constructor(scope: Construct, id: string, props: MskClusterProps) {
    super(scope, id);
    this.clusterName = props.clusterName;
    this.vpcId = props.vpc.vpcId;
    this.subnetIds = props.vpc.isolatedSubnets.map(({ subnetId }) => subnetId);
    this.securityGroup = new SecurityGroup(this, 'Clients', {
      vpc: props.vpc,
      description: 'Kafka brokers and their clients',
      allowAllOutbound: true,
    });
    this.securityGroup.addIngressRule(this.securityGroup, Port.tcp(IAM_PORT), 'Kafka with IAM access control');
    this.securityGroups = [this.securityGroup];
    this.clusterArn = localCluster(this)?.clusterArn ?? this.cluster(props).attrArn;
  }

  private cluster(props: MskClusterProps): CfnCluster {
    const { encryptionKey } = props;
    if (encryptionKey) logsMayUse(this, encryptionKey);
    const logs = new LogGroup(this, 'BrokerLogs', {
      retention: RetentionDays.ONE_MONTH,
      ...(encryptionKey && { encryptionKey }),
    });
    const configuration = new CfnConfiguration(this, 'Configuration', {
      name: props.clusterName,
      kafkaVersionsList: [props.kafkaVersion],
      serverProperties: SERVER_PROPERTIES,
    });
    const cluster = new CfnCluster(this, 'Resource', {
      clusterName: props.clusterName,
      kafkaVersion: props.kafkaVersion,
      numberOfBrokerNodes: BROKERS,
      brokerNodeGroupInfo: {
        clientSubnets: [...this.subnetIds],
        instanceType: props.brokerType,
        securityGroups: [this.securityGroup.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: props.storageGiBPerBroker } },
      },
      clientAuthentication: {
        sasl: { iam: { enabled: true }, scram: { enabled: false } },
        unauthenticated: { enabled: false },
      },
      configurationInfo: { arn: configuration.attrArn, revision: configuration.attrLatestRevisionRevision },
      encryptionInfo: {
        encryptionInTransit: { clientBroker: 'TLS', inCluster: true },
        ...(encryptionKey && { encryptionAtRest: { dataVolumeKmsKeyId: encryptionKey.keyArn } }),
      },
      enhancedMonitoring: 'PER_TOPIC_PER_PARTITION',
      loggingInfo: { brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: logs.logGroupName } } },
    });
    // Its name is fixed: kept by a deployment that fails, it would block the next one.
    cluster.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    return cluster;
  }
}

/** Topics are not created automatically, and acknowledged records are on at least two brokers. */
const SERVER_PROPERTIES = [
  'auto.create.topics.enable=false',
  'default.replication.factor=3',
  'min.insync.replicas=2',
  'unclean.leader.election.enable=false',
].join('\n');
