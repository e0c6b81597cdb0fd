/** Whether a record's value passes a mapping's filters. */
export type RecordFilter = (value: Buffer | null) => boolean;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A mapping's `FilterCriteria`: a record passes if one pattern matches its value. A pattern is `{ "value": … }`: an object
 * for JSON values, a list of rules for plain text. A value whose format does not fit the pattern's is dropped.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-filtering.html
 *
 * @throws for a pattern that is not valid, with what was expected
 */
export function recordFilter(patterns: readonly string[]): RecordFilter {
  const matchers = patterns.map(compilePattern);
  if (matchers.length === 0) return () => true;
  return (value) => {
    const text = value === null ? undefined : value.toString('utf8');
    const json = text === undefined ? undefined : parse(text);
    return matchers.some((matches) => matches(text, json));
  };
}

type PatternMatcher = (text: string | undefined, json: Json | undefined) => boolean;

function compilePattern(source: string): PatternMatcher {
  const pattern = parse(source);
  if (!isObject(pattern)) throw new Error(`Expected a filter pattern to be a JSON object, got \`${source}\`.`);
  const { value, ...others } = pattern;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new Error(`Kafka filters act on \`value\` only, got \`${unknown}\` in \`${source}\`.`);
  if (value === undefined) return () => true;
  if (Array.isArray(value)) {
    const rules = value.map((rule) => compileRule(rule, source));
    return (text, json) => text !== undefined && !isContainer(json) && rules.some((rule) => rule(text));
  }
  if (!isObject(value)) throw new Error(`Expected \`value\` to be an object or a list of rules in \`${source}\`.`);
  const matches = compileObject(value, source);
  return (_, json) => isObject(json) && matches(json);
}

function compileObject(pattern: { readonly [name: string]: Json }, source: string): (json: Json) => boolean {
  const fields = Object.entries(pattern).map(([name, wanted]): ((json: Json) => boolean) => {
    if (name === '$or' && Array.isArray(wanted)) {
      const branches = wanted.map((branch) => {
        if (!isObject(branch)) throw new Error(`Expected \`$or\` to list objects in \`${source}\`.`);
        return compileObject(branch, source);
      });
      return (json) => branches.some((branch) => branch(json));
    }
    if (Array.isArray(wanted)) {
      const rules = wanted.map((rule) => compileRule(rule, source));
      return (json) => {
        const found = isObject(json) ? json[name] : undefined;
        // A list in the value matches if one of its elements does.
        if (Array.isArray(found)) return found.some((element) => rules.some((rule) => rule(element)));
        return rules.some((rule) => rule(found));
      };
    }
    if (!isObject(wanted)) throw new Error(`Expected \`${name}\` to be a list of rules or an object in \`${source}\`.`);
    const inner = compileObject(wanted, source);
    return (json) => {
      const found = isObject(json) ? json[name] : undefined;
      if (Array.isArray(found)) return found.some(inner);
      return inner(found ?? {});
    };
  });
  return (json) => fields.every((field) => field(json));
}

type Rule = (found: Json | undefined) => boolean;

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax */
function compileRule(rule: Json, source: string): Rule {
  if (!isObject(rule)) return (found) => found === rule;
  const [operator, ...others] = Object.keys(rule);
  const operand = operator === undefined ? undefined : rule[operator];
  const refuse = () => new Error(`Unknown filter rule ${JSON.stringify(rule)} in \`${source}\`.`);
  if (operator === undefined || operand === undefined || others.length > 0) throw refuse();
  switch (operator) {
    case 'exists':
      return (found) => (found !== undefined && !isObject(found)) === operand;
    case 'anything-but': {
      const excluded = (Array.isArray(operand) ? operand : [operand]).map((one) => compileRule(one, source));
      return (found) => found !== undefined && !isContainer(found) && !excluded.some((matches) => matches(found));
    }
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
      return textRule(operator, operand, refuse);
    case 'numeric':
      return numericRule(operand, refuse);
    default:
      throw refuse();
  }
}

function textRule(
  operator: 'prefix' | 'suffix' | 'equals-ignore-case' | 'wildcard',
  operand: Json,
  refuse: () => Error,
): Rule {
  const ignoreCase = isObject(operand) ? operand['equals-ignore-case'] : undefined;
  const wanted = typeof ignoreCase === 'string' ? ignoreCase.toLowerCase() : operand;
  if (typeof wanted !== 'string') throw refuse();
  const lower = ignoreCase !== undefined;
  const test: (text: string) => boolean = {
    prefix: (text: string) => text.startsWith(wanted),
    suffix: (text: string) => text.endsWith(wanted),
    'equals-ignore-case': (text: string) => text.toLowerCase() === wanted.toLowerCase(),
    wildcard: (text: string) => wildcard(wanted).test(text),
  }[operator];
  return (found) => typeof found === 'string' && test(lower ? found.toLowerCase() : found);
}

function wildcard(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

const COMPARISONS: Readonly<Record<string, (found: number, bound: number) => boolean>> = {
  '=': (found, bound) => found === bound,
  '<': (found, bound) => found < bound,
  '<=': (found, bound) => found <= bound,
  '>': (found, bound) => found > bound,
  '>=': (found, bound) => found >= bound,
};

/** `["=", 5]` or `[">", 0, "<=", 5]`. */
function numericRule(operand: Json, refuse: () => Error): Rule {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 > 0) throw refuse();
  const bounds: ((found: number) => boolean)[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const compare = COMPARISONS[String(operand[index])];
    const bound = operand[index + 1];
    if (!compare || typeof bound !== 'number') throw refuse();
    bounds.push((found) => compare(found, bound));
  }
  return (found) => typeof found === 'number' && bounds.every((holds) => holds(found));
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isObject(json: Json | undefined): json is { readonly [name: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isContainer(json: Json | undefined): boolean {
  return typeof json === 'object' && json !== null;
}
