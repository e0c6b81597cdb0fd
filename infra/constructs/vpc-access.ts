import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';

const ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeVpcs',
  'ec2:UnassignPrivateIpAddresses',
];

/** The rule of cdk-nag that {@link vpcAccess} breaks, and why. */
export const VPC_ACCESS_WITHOUT_RESOURCE = {
  id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
  reason:
    'AWS requires this: network interfaces have no ARN before they exist, and Describe* supports no resources. Denied to the code itself.',
};

/**
 * Lets Lambda attach the mapping and the function to their VPCs, and denies that to the handler's own code. These are the only
 * statements with `*`: network interfaces have no ARN before they exist, and `Describe*` supports no resources.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
export function vpcAccess(): PolicyStatement[] {
  return [
    new PolicyStatement({ sid: 'AttachToTheVpc', actions: ACTIONS, resources: ['*'] }),
    // The condition key is set only for calls of the code, not for Lambda's own. Same page.
    new PolicyStatement({
      sid: 'NotFromTheHandler',
      effect: Effect.DENY,
      actions: ACTIONS,
      resources: ['*'],
      conditions: { ArnLike: { 'lambda:SourceFunctionArn': 'arn:*:lambda:*:*:function:*' } },
    }),
  ];
}
