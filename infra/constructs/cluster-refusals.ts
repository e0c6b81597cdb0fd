import { Arn, ArnFormat, Token } from 'aws-cdk-lib';
import { isClusterArn, KAFKA_AUTHENTICATIONS, securityGroupsOf } from './kafka-cluster.ts';
import { known, type Refusal } from './refusal.ts';

/** What is no description of a cluster at all: nothing else can be judged then. */
export const SHAPE_REFUSALS = {
  LOCKSTEP_CLUSTER_MISSING: {
    property: 'cluster',
    because: 'No cluster: for example a context value that `cdk.json` does not have.',
    fix: 'Set `cluster: { clusterArn, vpcId, subnetIds, securityGroupIds, auth }`, or `{ clusterId, bootstrapServers, auth }` of a self-managed one; if it comes from the context, check its name there',
    objection: ({ cluster }) =>
      typeof cluster === 'object' && cluster !== null ? undefined : `expected an object, got \`${String(cluster)}\``,
  },
  LOCKSTEP_NETWORK_NOT_A_LIST: {
    property: 'cluster.subnetIds',
    because: 'Subnets or security groups that are not a list: a text would be taken apart into its letters.',
    fix: 'Set `subnetIds` and `securityGroupIds` to lists, also of a single id',
    objection: ({ cluster }) => {
      const wrong = (['subnetIds', 'securityGroupIds'] as const).find(
        (name) => cluster?.[name] !== undefined && !Array.isArray(cluster[name]),
      );
      return wrong === undefined ? undefined : `expected \`${wrong}\` to be a list, got a ${typeof cluster[wrong]}`;
    },
  },
  LOCKSTEP_AUTH_UNKNOWN: {
    property: 'cluster.auth',
    because: 'No authentication, or one that does not exist: the roles would get no permission for Kafka.',
    fix: "Set `auth` to `'iam'`, `'tls'`, `{ type: 'scram', … }` or `{ type: 'mtls', … }`; of a self-managed cluster to `{ type, secret }` with `'scram'`, `'scram-256'`, `'plain'` or `'mtls'`",
    objection: ({ cluster }) => {
      if (typeof cluster !== 'object' || cluster === null) return undefined;
      const auth: unknown = cluster.auth;
      const type: unknown = Object(auth)['type'];
      const isSelfManaged = cluster.clusterId !== undefined;
      const known: readonly unknown[] = isSelfManaged ? ['scram', 'scram-256', 'plain', 'mtls'] : ['scram', 'mtls'];
      if (known.includes(type) || (!isSelfManaged && KAFKA_AUTHENTICATIONS.some((one) => one === auth)))
        return undefined;
      const there = isSelfManaged ? 'Lambda takes for a self-managed cluster' : 'Kafka on MSK has';
      return `expected one that ${there}, got \`${JSON.stringify(type ?? auth)}\``;
    },
  },
  LOCKSTEP_AUTH_WITHOUT_SECRET: {
    property: 'cluster.auth.secret',
    because: 'A password or a certificate without the secret that has it.',
    fix: "Set it to a secret: `Secret.fromSecretNameV2(this, 'Kafka', '…')`",
    objection: ({ cluster }) => {
      const auth: unknown = cluster?.auth;
      const given = Object(Object(auth)['secret'])['secretArn'];
      return typeof auth !== 'object' || auth === null || given !== undefined ? undefined : 'there is none';
    },
  },
} as const satisfies Record<string, Refusal>;

/** The cluster and how it is reached. */
export const CLUSTER_REFUSALS = {
  LOCKSTEP_FUNCTION_OUTSIDE_VPC: {
    property: 'cluster',
    because:
      'A cluster without VPC, subnets and security groups (except for plaintext on loopback, and for a self-managed cluster on the internet): the function could not write a dead letter.',
    fix: 'Set `vpcId`, `subnetIds` and `securityGroupIds` of the cluster',
    objection: ({ cluster }) => {
      const given = [
        cluster.vpcId !== undefined,
        (cluster.subnetIds?.length ?? 0) > 0,
        securityGroupsOf(cluster).length > 0,
      ];
      const mayBeOutside =
        cluster.clusterId !== undefined ? !given.includes(true) : cluster.auth === 'none' && !given[0];
      return !given.includes(false) || mayBeOutside
        ? undefined
        : 'without VPC, subnets and security groups the function cannot reach the brokers, so no record could ever be dead-lettered';
    },
  },
  LOCKSTEP_CLUSTER_ARN_INVALID: {
    property: 'cluster.clusterArn',
    because: 'An ARN that is not an MSK cluster’s: permissions and ledger keys are derived from it.',
    fix: 'Set `arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>`; a VPC connection goes into `vpcConnectionArn`',
    objection: ({ cluster }) =>
      cluster.clusterId !== undefined || isClusterArn(cluster.clusterArn)
        ? undefined
        : `\`${cluster.clusterArn}\` is not the ARN of an MSK cluster`,
  },
  LOCKSTEP_CLUSTER_ID_INVALID: {
    property: 'cluster.clusterId',
    because:
      'An id of a self-managed cluster that would widen a permission or break the ledger’s keys, or one beside an ARN.',
    fix: 'Use letters, digits, `.`, `_` and `-`, 1 to 100 of them, known at synth; for MSK set `clusterArn` alone',
    objection: ({ cluster }) => {
      if (cluster.clusterId === undefined) return undefined;
      if (cluster.clusterArn !== undefined) return 'there is a `clusterArn`, too';
      return /^[A-Za-z0-9._-]{1,100}$/.test(cluster.clusterId)
        ? undefined
        : `\`${cluster.clusterId}\` has other characters`;
    },
  },
  LOCKSTEP_BROKERS_INVALID: {
    property: 'cluster.bootstrapServers',
    because: 'A self-managed cluster without brokers, or with one that is not `host:port`.',
    fix: 'Set `host:port`, separated by commas',
    objection: ({ cluster }) => {
      if (cluster.clusterId === undefined || Token.isUnresolved(cluster.bootstrapServers)) return undefined;
      const wrong = String(cluster.bootstrapServers)
        .split(',')
        .find((server) => !/^\s*[\w.-]+:\d{1,5}\s*$/.test(server));
      return wrong === undefined ? undefined : `\`${wrong}\` is not \`host:port\``;
    },
  },
  LOCKSTEP_CLUSTER_OF_ANOTHER_REGION: {
    property: 'cluster.clusterArn',
    because: 'A cluster of another region than the stack: Lambda reads only clusters of its own region.',
    fix: 'Deploy the stack into the region of the cluster: `env: { region }`',
    objection: ({ cluster, region }) => {
      const theirs = placeOf(cluster.clusterArn)?.region;
      return theirs === undefined || Token.isUnresolved(region) || theirs === region
        ? undefined
        : `the cluster is in ${theirs}, the stack in ${region}`;
    },
  },
  LOCKSTEP_CLUSTER_OF_ANOTHER_ACCOUNT: {
    property: 'cluster.vpcConnectionArn',
    because:
      'A cluster of another account without a VPC connection: neither the mapping nor the functions reach its brokers.',
    fix: 'Create a managed VPC connection to the cluster, and set `vpcConnectionArn` to it',
    objection: ({ cluster, account }) => {
      const theirs = placeOf(cluster.clusterArn)?.account;
      const isTheirs = theirs !== undefined && !Token.isUnresolved(account) && theirs !== account;
      return isTheirs && cluster.vpcConnectionArn === undefined
        ? `the cluster is in account ${theirs}, the stack in ${account}, and there is no connection between them`
        : undefined;
    },
  },
  LOCKSTEP_SERVERLESS_WITHOUT_IAM: {
    property: 'cluster.auth',
    because: 'MSK Serverless without IAM: it has no other authentication.',
    fix: "Set `auth: 'iam'`",
    objection: ({ cluster }) =>
      cluster.kind === 'serverless' && cluster.auth !== 'iam' ? 'MSK Serverless accepts IAM only' : undefined,
  },
  LOCKSTEP_SERVERLESS_OF_ANOTHER_ACCOUNT: {
    property: 'cluster.vpcConnectionArn',
    because: 'MSK Serverless of another account: it has no VPC connections.',
    fix: 'Deploy into the account of the cluster, or use a provisioned cluster',
    objection: ({ cluster }) =>
      cluster.kind === 'serverless' && cluster.vpcConnectionArn !== undefined
        ? 'a mapping cannot read MSK Serverless of another account'
        : undefined,
  },
  LOCKSTEP_SCRAM_SECRET_NAME: {
    property: 'cluster.auth.secret',
    because: 'A SCRAM secret whose name does not start with `AmazonMSK_`: MSK refuses to associate it.',
    fix: 'Recreate the secret as `AmazonMSK_…`, under a customer-managed key',
    objection: ({ cluster: { auth, clusterId } }) =>
      typeof auth === 'object' &&
      auth.type === 'scram' &&
      clusterId === undefined &&
      !known(auth.secret.secretName, /^AmazonMSK_/)
        ? `MSK associates only secrets named \`AmazonMSK_…\`, got \`${auth.secret.secretName}\``
        : undefined,
  },
} as const satisfies Record<string, Refusal>;

/** Region and account of an ARN, if it is one and known at synth. */
function placeOf(arn: string | undefined): { readonly region?: string; readonly account?: string } | undefined {
  if (arn === undefined || Token.isUnresolved(arn) || !isClusterArn(arn)) return undefined;
  return Arn.split(arn, ArnFormat.SLASH_RESOURCE_NAME);
}
