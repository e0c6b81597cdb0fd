import type { Template } from 'aws-cdk-lib/assertions';
import { textOf, withoutHash } from './template-text.ts';

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
 * them: a role, a policy beside roles, or the policy of a resource.
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
          return [[`${name} of ${textOf(Roles ?? Queues ?? Topics)}`, lines(Properties.PolicyDocument)]];
        }
        case 'AWS::KMS::Key':
          return [[name, lines(Properties.KeyPolicy)]];
        case 'AWS::Lambda::Permission': {
          const { Principal, Action, FunctionName, SourceArn } = Properties;
          return [
            [name, [`${textOf(Principal)} ${textOf(Action)} on ${textOf(FunctionName)} for ${textOf(SourceArn)}`]],
          ];
        }
        default:
          return [];
      }
    }),
  );
}

function line({ Sid, Effect, Principal, Action, Resource, Condition }: Statement): string {
  const conditions = Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${key} ${operator} ${textOf(values)}`),
  );
  return [
    ...(Sid === undefined ? [] : [`${Sid}:`]),
    Effect,
    ...(Principal === undefined ? [] : [textOf(Principal)]),
    textOf(Action),
    ...(Resource === undefined ? [] : [`on ${textOf(Resource)}`]),
    ...(conditions.length === 0 ? [] : [`if ${conditions.join(' and ')}`]),
  ].join(' ');
}
