import { Arn, ArnFormat, Token } from 'aws-cdk-lib';
import { isClusterArn, KAFKA_AUTHENTICATIONS } from './kafka-cluster.ts';
import { known, type Refusal } from './refusal.ts';

/** What is no description of a cluster at all: nothing else can be judged then. */
export const SHAPE_REFUSALS = {
  LOCKSTEP_CLUSTER_MISSING: {
    property: 'cluster',
    because: 'No cluster: for example a context value that `cdk.json` does not have.',
    fix: 'Set `cluster: { clusterArn, vpcId, subnetIds, securityGroupIds, auth }`; if it comes from the context, check its name there',
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
    fix: "Set `auth` to `'iam'`, `'tls'`, `{ type: 'scram', … }` or `{ type: 'mtls', … }`",
    objection: ({ cluster }) => {
      const auth: unknown = cluster?.auth;
      const type = Object(auth)['type'];
      const isKnown = KAFKA_AUTHENTICATIONS.some((one) => one === auth) || type === 'scram' || type === 'mtls';
      return isKnown || typeof cluster !== 'object' || cluster === null
        ? undefined
        : `expected one that Kafka on MSK has, got \`${JSON.stringify(type ?? auth)}\``;
    },
  },
} as const satisfies Record<string, Refusal>;

/** The cluster and how it is reached. */
export const CLUSTER_REFUSALS = {
  LOCKSTEP_FUNCTION_OUTSIDE_VPC: {
    property: 'cluster',
    because:
      'A cluster without VPC, subnets and security groups (except for plaintext on loopback): the function could not write a dead letter.',
    fix: 'Set `vpcId`, `subnetIds` and `securityGroupIds` of the cluster',
    objection: ({ cluster }) => {
      const groups = (cluster.securityGroupIds?.length ?? 0) + (cluster.securityGroups?.length ?? 0);
      const complete = cluster.vpcId !== undefined && (cluster.subnetIds?.length ?? 0) > 0 && groups > 0;
      return complete || (cluster.auth === 'none' && cluster.vpcId === undefined)
        ? undefined
        : 'without VPC, subnets and security groups the function cannot reach the brokers, so no record could ever be dead-lettered';
    },
  },
  LOCKSTEP_CLUSTER_ARN_INVALID: {
    property: 'cluster.clusterArn',
    because: 'An ARN that is not an MSK cluster’s: permissions and ledger keys are derived from it.',
    fix: 'Set `arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>`; a VPC connection goes into `vpcConnectionArn`',
    objection: ({ cluster }) =>
      isClusterArn(cluster.clusterArn) ? undefined : `\`${cluster.clusterArn}\` is not the ARN of an MSK cluster`,
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
    objection: ({ cluster: { auth } }) =>
      typeof auth === 'object' && auth.type === 'scram' && !known(auth.secret.secretName, /^AmazonMSK_/)
        ? `MSK associates only secrets named \`AmazonMSK_…\`, got \`${auth.secret.secretName}\``
        : undefined,
  },
} as const satisfies Record<string, Refusal>;

/** Region and account of an ARN, if it is one and known at synth. */
function placeOf(arn: string): { readonly region?: string; readonly account?: string } | undefined {
  if (Token.isUnresolved(arn) || !isClusterArn(arn)) return undefined;
  return Arn.split(arn, ArnFormat.SLASH_RESOURCE_NAME);
}
