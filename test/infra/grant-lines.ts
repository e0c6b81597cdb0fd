import type { Template } from 'aws-cdk-lib/assertions';

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: unknown;
  readonly Resource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Document {
  readonly Statement: readonly Statement[];
}

interface Resource {
  readonly Type: string;
  readonly Properties?: {
    readonly AssumeRolePolicyDocument?: Document;
    readonly Policies?: readonly { readonly PolicyDocument: Document }[];
    readonly PolicyDocument?: Document;
    readonly KeyPolicy?: Document;
    readonly Roles?: unknown;
    readonly Queues?: unknown;
    readonly Topics?: unknown;
    readonly Principal?: unknown;
    readonly Action?: unknown;
    readonly FunctionName?: unknown;
    readonly SourceArn?: unknown;
  };
}

/**
 * Every statement of a template, as one line: `<name>: Allow <actions> on <resources> if <conditions>`. They are listed by what has
 * them: a role, a policy beside roles, or the policy of a resource. A reference is `{Id}` or `{Id.Attribute}`, where the id has lost
 * the hash of CDK.
 */
export function grantLines(template: Template): Record<string, string[]> {
  const resources: Record<string, Resource> = template.toJSON()['Resources'];
  return Object.fromEntries(
    Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => {
      const name = withoutHash(id);
      const lines = (document: Document | undefined) => document?.Statement.map(line) ?? [];
      switch (Type) {
        case 'AWS::IAM::Role': {
          const inside = (Properties.Policies ?? []).flatMap(({ PolicyDocument }) => lines(PolicyDocument));
          return [[name, [...lines(Properties.AssumeRolePolicyDocument), ...inside]]];
        }
        case 'AWS::IAM::Policy':
        case 'AWS::SQS::QueuePolicy':
        case 'AWS::SNS::TopicPolicy': {
          const { Roles, Queues, Topics } = Properties;
          return [[`${name} of ${text(Roles ?? Queues ?? Topics)}`, lines(Properties.PolicyDocument)]];
        }
        case 'AWS::KMS::Key':
          return [[name, lines(Properties.KeyPolicy)]];
        case 'AWS::Lambda::Permission': {
          const { Principal, Action, FunctionName, SourceArn } = Properties;
          return [[name, [`${text(Principal)} ${text(Action)} on ${text(FunctionName)} for ${text(SourceArn)}`]]];
        }
        default:
          return [];
      }
    }),
  );
}

function line({ Sid, Effect, Principal, Action, Resource, Condition }: Statement): string {
  const conditions = Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${key} ${operator} ${text(values)}`),
  );
  return [
    ...(Sid === undefined ? [] : [`${Sid}:`]),
    Effect,
    ...(Principal === undefined ? [] : [text(Principal)]),
    text(Action),
    ...(Resource === undefined ? [] : [`on ${text(Resource)}`]),
    ...(conditions.length === 0 ? [] : [`if ${conditions.join(' and ')}`]),
  ].join(' ');
}

/** What an intrinsic function of CloudFormation, a principal or a list says. */
function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(text).join(', ');
  const [[name, of] = ['', '']] = Object.entries(value);
  if (name === 'Fn::Join') return of[1].map(text).join(of[0]);
  if (name === 'Fn::GetAtt') return `{${withoutHash(of[0])}.${of[1]}}`;
  if (name === 'Ref') return `{${withoutHash(of)}}`;
  return `${name} ${text(of)}`;
}

function withoutHash(id: string): string {
  return id.replace(/[0-9A-F]{8}/g, '');
}
