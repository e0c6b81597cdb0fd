import { Validations } from 'aws-cdk-lib';
import { type IRole, Policy, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { VPC_ACCESS_WITHOUT_RESOURCE, vpcAccess } from './vpc-access.ts';

/**
 * Permissions of a role that is not ours, in a policy beside it. CDK adds nothing to an imported role that is not mutable, and does
 * not say so; this policy is attached to it all the same.
 */
export function permissionsOf(
  scope: Construct,
  role: IRole,
  statements: readonly PolicyStatement[],
  inVpc: boolean,
): Policy {
  const policy = new Policy(scope, 'Permissions', {
    roles: [role],
    statements: [...statements, ...(inVpc ? vpcAccess() : [])],
  });
  if (inVpc) Validations.of(policy).acknowledge(VPC_ACCESS_WITHOUT_RESOURCE);
  return policy;
}
