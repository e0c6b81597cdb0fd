import { Arn, ArnFormat, Fn, Token } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';

/**
 * How clients authenticate. `iam`: MSK IAM access control. `tls`: encrypted, without a client identity. `none`: plaintext, for
 * a broker on loopback. SCRAM: user name and password. Mutual TLS: a client certificate.
 */
export type KafkaAuthentication =
  | (typeof KAFKA_AUTHENTICATIONS)[number]
  | ScramAuthentication
  | MutualTlsAuthentication;

/** How clients of a self-managed cluster authenticate; Lambda's mapping has these. */
export type SelfManagedAuthentication = PasswordAuthentication | MutualTlsAuthentication;

/** Those without a secret. */
export const KAFKA_AUTHENTICATIONS = ['iam', 'tls', 'none'] as const;

/** SASL/SCRAM-512. https://docs.aws.amazon.com/msk/latest/developerguide/msk-password.html */
export interface ScramAuthentication {
  readonly type: 'scram';
  /** `{ "username", "password" }`; its name starts with `AmazonMSK_`. */
  readonly secret: ISecret;
  /** The customer-managed key of the secret: MSK refuses secrets under the default key. */
  readonly encryptionKey: IKey;
}

/**
 * User name and password, over TLS: SASL/SCRAM with SHA-512 (`scram`) or SHA-256 (`scram-256`), or SASL/PLAIN, as an API key of
 * Confluent Cloud. https://docs.aws.amazon.com/lambda/latest/dg/kafka-cluster-auth.html#smaa-auth-sasl
 */
export interface PasswordAuthentication {
  readonly type: 'scram' | 'scram-256' | 'plain';
  /** `{ "username", "password" }`. */
  readonly secret: ISecret;
  /**
   * The customer-managed key of the secret.
   *
   * @default the account's own key for Secrets Manager, which needs no grant
   */
  readonly encryptionKey?: IKey;
}

/**
 * TLS with a client certificate, signed by an authority that the cluster trusts.
 * https://docs.aws.amazon.com/lambda/latest/dg/msk-cluster-auth.html#msk-mtls
 */
export interface MutualTlsAuthentication {
  readonly type: 'mtls';
  /**
   * `{ "certificate", "privateKey", "privateKeyPassword" }` in PEM. The password is needed only for an encrypted key. The only
   * encryption that works is PBE-SHA1-3DES: the mapping reads only PBES1.
   */
  readonly secret: ISecret;
  /**
   * The customer-managed key of the secret.
   *
   * @default the account's own key for Secrets Manager, which needs no grant
   */
  readonly encryptionKey?: IKey;
}

/** A Kafka cluster that exists, or that another construct makes: on MSK, or anywhere else. */
export type KafkaCluster = MskKafka | SelfManagedKafka;

/** Where functions are, so that they reach the brokers. */
export interface KafkaNetwork {
  /**
   * VPC of the function, from which it reaches the brokers to write dead letters. Plaintext clusters (`auth: 'none'`) need none,
   * nor do self-managed ones that are reached over the internet.
   */
  readonly vpcId?: string;
  /** Subnets of the function, in the order of `availabilityZones`. */
  readonly subnetIds?: readonly string[];
  /** Security groups that may reach the brokers; given to the function. */
  readonly securityGroupIds?: readonly string[];
  /** Instead of `securityGroupIds`, for groups that are made in the same app. */
  readonly securityGroups?: readonly ISecurityGroup[];
}

/**
 * A cluster that is not on MSK: Confluent Cloud, Redpanda, brokers of your own. Topics are created by you.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
 */
export interface SelfManagedKafka extends KafkaNetwork {
  /**
   * Names the cluster in the ledger's keys: letters, digits, `.`, `_` and `-`. With another name all records count as new, so keep
   * it when the addresses of the brokers change, and never use it for another cluster.
   */
  readonly clusterId: string;
  /** `host:port`, separated by commas. */
  readonly bootstrapServers: string;
  readonly auth: SelfManagedAuthentication;
  /**
   * `{ "certificate" }` in PEM: of the private authority that signed the certificates of the brokers. Under the same key as the
   * credentials, if that is yours.
   *
   * @default public authorities
   */
  readonly rootCertificate?: ISecret;
  readonly clusterArn?: undefined;
  readonly vpcConnectionArn?: undefined;
  readonly kind?: undefined;
  readonly topics?: undefined;
}

/** A cluster on MSK. An ARN does not contain these facts, so they are given here. */
export interface MskKafka extends KafkaNetwork {
  readonly clusterId?: undefined;
  readonly rootCertificate?: undefined;
  /** `arn:<partition>:kafka:<region>:<account>:cluster/<name>/<uuid>`; may be a token. */
  readonly clusterArn: string;
  readonly auth: KafkaAuthentication;
  /**
   * `host:port`, separated by commas: the brokers for the functions. Brokers that an event names are not used.
   *
   * @default MSK is asked at run time, which needs an interface endpoint for `kafka` in a VPC without NAT
   */
  readonly bootstrapServers?: string;
  /** `provisioned` with standard brokers, or `express` ones, whose `min.insync.replicas` is read-only. @default 'provisioned' */
  readonly kind?: 'provisioned' | 'express' | 'serverless';
  /** The multi-VPC connection to a cluster of another account; `clusterArn` stays the cluster's own. */
  readonly vpcConnectionArn?: string;
  /**
   * Who creates topics: CloudFormation (`AWS::MSK::Topic`, provisioned clusters of this account, Kafka 3.6 and later), or
   * somebody else.
   *
   * @default 'cloudformation'; 'elsewhere' for serverless clusters and those of another account
   */
  readonly topics?: 'cloudformation' | 'elsewhere';
}

/** The ids of the security groups, however they are given. */
export function securityGroupsOf({ securityGroupIds = [], securityGroups = [] }: KafkaNetwork): string[] {
  return [...securityGroups.map(({ securityGroupId }) => securityGroupId), ...securityGroupIds];
}

/** Whether clients use MSK IAM access control: other authentications have no permissions in IAM. */
export function usesIam(cluster: KafkaCluster): cluster is MskKafka {
  return cluster.auth === 'iam';
}

/** Whether `AWS::MSK::Topic` works on this cluster. https://docs.aws.amazon.com/msk/latest/developerguide/msk-topic-operations-information.html */
export function makesTopics(cluster: KafkaCluster): cluster is MskKafka {
  const { kind = 'provisioned', clusterId, vpcConnectionArn, topics = 'cloudformation' } = cluster;
  const isHere = clusterId === undefined && vpcConnectionArn === undefined;
  return isHere && topics === 'cloudformation' && kind !== 'serverless';
}

/**
 * What the mapping reads from: the VPC connection of a cluster of another account, the cluster itself otherwise. A self-managed
 * one has no ARN: its id.
 */
export function eventSourceArn(cluster: KafkaCluster): string {
  return cluster.vpcConnectionArn ?? clusterArnOrId(cluster);
}

/** The ARN of a cluster on MSK, the id of a self-managed one. */
export function clusterArnOrId({ clusterId, clusterArn }: KafkaCluster): string {
  return clusterId === undefined ? clusterArn : clusterId;
}

/** The cluster's name: the dimension `Cluster Name` of the broker's metrics. */
export function clusterName({ clusterId, clusterArn }: KafkaCluster): string {
  return clusterId === undefined ? segment(clusterArn, 1) : clusterId;
}

/**
 * The last part of the event source's ARN: `clusterUuid` gives the same for the event's `eventSourceArn`, so it is part of the
 * ledger's keys.
 */
export function ledgerClusterId(cluster: KafkaCluster): string {
  if (cluster.clusterId !== undefined) return cluster.clusterId;
  // cluster/<name>/<uuid>, but vpc-connection/<account>/<name>/<uuid>
  return segment(eventSourceArn(cluster), cluster.vpcConnectionArn === undefined ? 2 : 3);
}

/**
 * The ARN that `kafka-cluster:*` actions on a topic, group or transactional id are checked against.
 * https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
 */
export function kafkaArn({ clusterArn }: MskKafka, type: 'topic' | 'group' | 'transactional-id', name: string): string {
  const parts = Fn.split(':cluster/', clusterArn);
  return `${Fn.select(0, parts)}:${type}/${Fn.select(1, parts)}/${name}`;
}

/** Whether this is the ARN of a cluster. Tokens are accepted. */
export function isClusterArn(arn: string): boolean {
  if (Token.isUnresolved(arn)) return true;
  if (!/^arn:[^:]+:kafka:/.test(arn)) return false;
  const { resource, resourceName } = Arn.split(arn, ArnFormat.SLASH_RESOURCE_NAME);
  return resource === 'cluster' && /^[^/]+\/[^/]+$/.test(resourceName ?? '');
}

function segment(arn: string, index: number): string {
  return Fn.select(index, Fn.split('/', arn));
}
