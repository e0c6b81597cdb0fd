import { isClusterArn } from './kafka-cluster.ts';
import { known, type Refusal } from './refusal.ts';

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
