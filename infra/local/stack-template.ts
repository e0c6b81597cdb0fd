import type { StackResource } from '@aws-sdk/client-cloudformation';

/** A JSON object that is not known more closely. */
export type Fields = Readonly<Record<string, unknown>>;

/** Anything as a JSON object; what is none has no fields. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export interface TemplateResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly properties: Fields;
  readonly metadata: Fields;
}

/** A deployed stack's template, with what its resources became. */
export interface StackTemplate {
  resources(type: string): readonly TemplateResource[];
  /** A text, or what a `Ref` to a resource or the ARN of a queue stand for. @throws for anything else */
  resolve(value: unknown): string;
}

/** @param body - the template as JSON */
export function stackTemplate(body: string, deployed: readonly StackResource[]): StackTemplate {
  const template = fields(fields(JSON.parse(body))['Resources']);
  const physicalIds = new Map(deployed.map((one) => [one.LogicalResourceId ?? '', one.PhysicalResourceId ?? '']));
  const resolve = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const { Ref: ref, 'Fn::GetAtt': getAtt } = fields(value);
    const [logicalId, attribute] = Array.isArray(getAtt) ? getAtt : [ref, undefined];
    const physicalId = physicalIds.get(String(logicalId));
    if (physicalId !== undefined && attribute === undefined) return physicalId;
    const type = fields(template[String(logicalId)])['Type'];
    if (physicalId !== undefined && attribute === 'Arn' && type === 'AWS::SQS::Queue') return queueArn(physicalId);
    if (physicalId !== undefined && attribute === 'Arn' && type === 'AWS::Lambda::Function') return physicalId;
    throw new Error(`The local cloud cannot tell what ${JSON.stringify(value)} stands for.`);
  };
  return {
    resolve,
    resources: (type) =>
      Object.entries(template)
        .map(([logicalId, resource]) => ({ logicalId, resource: fields(resource) }))
        .filter(({ resource }) => resource['Type'] === type)
        .map(({ logicalId, resource }) => ({
          logicalId,
          physicalId: physicalIds.get(logicalId) ?? '',
          properties: fields(resource['Properties']),
          metadata: fields(resource['Metadata']),
        })),
  };
}

/** From a queue's URL, which is its physical id: `https://host/<account>/<name>`. */
function queueArn(url: string): string {
  const [name, account] = url.split('/').reverse();
  return `arn:aws:sqs:us-east-1:${account}:${name}`;
}
