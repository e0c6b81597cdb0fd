import type { Template } from 'aws-cdk-lib/assertions';

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Resource?: unknown;
  readonly NotResource?: unknown;
  readonly Principal?: unknown;
}

/** AWS knows no narrower resource: network interfaces before they exist, X-Ray, and alarms that are found by how their names begin. */
const WITHOUT_RESOURCE = ['ec2:', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments', 'cloudwatch:DescribeAlarms'];

/** Grants of a template that reach further than one named thing, and ways to invoke a function from outside; nothing where all is narrow. */
export function tooWide(template: Template): string[] {
  const resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }> =
    template.toJSON()['Resources'];
  return Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => {
    switch (Type) {
      case 'AWS::IAM::Policy':
      case 'AWS::IAM::ManagedPolicy':
      case 'AWS::SQS::QueuePolicy':
      case 'AWS::SNS::TopicPolicy':
        return statementsOf(Properties['PolicyDocument']).flatMap((statement) => wideStatement(id, statement));
      case 'AWS::IAM::Role':
        return [
          ...(Properties['ManagedPolicyArns'] === undefined ? [] : [`${id}: managed policies`]),
          ...[Properties['Policies'] ?? []]
            .flat()
            .flatMap((policy) =>
              statementsOf(Object(policy)['PolicyDocument']).flatMap((statement) => wideStatement(id, statement)),
            ),
          ...statementsOf(Properties['AssumeRolePolicyDocument']).flatMap(({ Principal }) =>
            isServiceOnly(Principal) ? [] : [`${id}: ${JSON.stringify(Principal)} may become it`],
          ),
        ];
      case 'AWS::Lambda::Url':
        return [`${id}: a function URL`];
      case 'AWS::Lambda::Permission':
        return Properties['Principal'] === 'events.amazonaws.com' && Properties['SourceArn'] !== undefined
          ? []
          : [`${id}: ${JSON.stringify(Properties['Principal'])} may invoke`];
      default:
        return [];
    }
  });
}

function wideStatement(id: string, statement: Statement): string[] {
  if (statement.Effect === 'Deny') return [];
  const place = `${id} ${statement.Sid ?? 'without a name'}`;
  const actions = [statement.Action ?? []].flat();
  const isForced = actions.every((action) => WITHOUT_RESOURCE.some((known) => action.startsWith(known)));
  const anywhere = [statement.Resource]
    .flat()
    .some((resource) => literalsOf(resource).some((text) => /[*?]/.test(text)));
  return [
    ...(actions.some((action) => action.includes('*')) ? [`${place}: a wildcard in its actions`] : []),
    ...(anywhere && !isForced ? [`${place}: a wildcard in its resources`] : []),
    ...(statement.NotAction === undefined && statement.NotResource === undefined ? [] : [`${place}: all but`]),
    ...(isAnybody(statement.Principal) ? [`${place}: anybody, or a whole account`] : []),
  ];
}

/** The texts of an ARN that are known at synth. */
function literalsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(literalsOf) : [];
}

/** A service of AWS, and nobody with it. */
function isServiceOnly(principal: unknown): boolean {
  return JSON.stringify(Object.keys(Object(principal))) === '["Service"]';
}

function isAnybody(principal: unknown): boolean {
  if (principal === undefined) return false;
  const text = JSON.stringify(principal);
  return principal === '*' || text.includes('"AWS":"*"') || text.includes(':root');
}

function statementsOf(document: unknown): readonly Statement[] {
  return (document as { readonly Statement: readonly Statement[] }).Statement;
}
