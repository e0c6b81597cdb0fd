/**
 * What a value of a template says: a text, a list, a principal, or an intrinsic function of CloudFormation. A reference is `{Id}` or
 * `{Id.Attribute}`, without the hash that CDK gives the id. A part of a text is `{part <index> of <text> at <separator>}`.
 */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  const [[name, of] = ['', '']] = Object.entries(value);
  if (name === 'Fn::Join') return of[1].map(textOf).join(of[0]);
  if (name === 'Fn::GetAtt') return `{${withoutHash(of[0])}.${of[1]}}`;
  if (name === 'Fn::Select') {
    const [index, { 'Fn::Split': split }] = of;
    if (split !== undefined) return `{part ${index} of ${textOf(split[1])} at ${split[0]}}`;
  }
  if (name === 'Ref') return `{${withoutHash(of)}}`;
  return `${name} ${textOf(of)}`;
}

/** A logical id without the hash of CDK. */
export function withoutHash(id: string): string {
  return id.replace(/[0-9A-F]{8}/g, '');
}
