import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Issues that an error names. */
const MAX_ISSUES = 5;
/** Segments of a path that an error names. */
const MAX_SEGMENTS = 16;
/** Characters of an issue that an error quotes, for consumers that redact. */
const MAX_QUOTED = 2_000;
/** Parts of a schema that are looked at for its own words. */
const MAX_PARTS = 20_000;
const MAX_WORD = 64;

/** Zod's words for what is wrong; other libraries' are in their schemas. https://zod.dev/packages/core#issue-types */
const CODES: readonly string[] = [
  'invalid_type',
  'too_big',
  'too_small',
  'invalid_format',
  'not_multiple_of',
  'unrecognized_keys',
  'invalid_union',
  'invalid_key',
  'invalid_element',
  'invalid_value',
  'custom',
];

/**
 * What is wrong with a value, in words that say nothing of it. A path has the names of the schema; any other name, as the key of a
 * map, is `*`, and an index is `[]`. Of an issue only words are told that stand in the schema: messages quote the value.
 */
export function describeIssues(schema: object, issues: readonly StandardSchemaV1.Issue[]): string {
  const words = wordsOf(schema);
  const told = issues.slice(0, MAX_ISSUES).map((issue) => {
    const place = placeOf(issue, words);
    const what = faultOf(issue, words);
    return place === '' ? what : `${place}: ${what}`;
  });
  const more = issues.length > MAX_ISSUES ? ` and ${issues.length - MAX_ISSUES} more` : '';
  return `${told.join('; ')}${more}`;
}

/** Messages and paths as the schema library has them. They may quote the value. */
export function quoteIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .slice(0, MAX_ISSUES)
    .map((issue) => {
      const place = segmentsOf(issue).map((segment) => String(segment).slice(0, MAX_WORD));
      return `${place.join('.')}: ${String(issue.message).slice(0, MAX_QUOTED)}`;
    })
    .join('; ');
}

function placeOf(issue: StandardSchemaV1.Issue, words: ReadonlySet<string>): string {
  const segments = segmentsOf(issue);
  const place = segments.map((segment, index) => {
    if (typeof segment === 'number') return '[]';
    const name = typeof segment === 'string' && words.has(segment) ? segment : '*';
    return index === 0 ? name : `.${name}`;
  });
  return place.join('') + ((issue.path?.length ?? 0) > MAX_SEGMENTS ? '…' : '');
}

function segmentsOf({ path = [] }: StandardSchemaV1.Issue): readonly PropertyKey[] {
  return path.slice(0, MAX_SEGMENTS).map((segment) => (typeof segment === 'object' ? segment.key : segment));
}

function faultOf(issue: StandardSchemaV1.Issue, words: ReadonlySet<string>): string {
  const { code, type, expected } = issue as Readonly<Partial<Record<'code' | 'type' | 'expected', unknown>>>;
  const known = (word: unknown) => (typeof word === 'string' && words.has(word) ? word : undefined);
  const kind = known(code) ?? known(type);
  const wanted = known(expected);
  const told = [kind !== wanted && kind, wanted !== undefined && `expected ${wanted}`].filter(Boolean);
  return told.length === 0 ? 'is not valid' : told.join(', ');
}

const known = new WeakMap<object, ReadonlySet<string>>();

/** Every name and text that stands in a schema: code of its author, never of a record. */
function wordsOf(schema: object): ReadonlySet<string> {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const words = new Set<string>(CODES);
  const seen = new Set<unknown>();
  const open: unknown[] = [schema];
  const add = (word: string) => {
    if (word.length <= MAX_WORD) words.add(word);
  };
  while (open.length > 0 && seen.size < MAX_PARTS) {
    const part = open.pop();
    if (typeof part === 'string') add(part);
    if (part === null || (typeof part !== 'object' && typeof part !== 'function') || seen.has(part)) continue;
    seen.add(part);
    for (const name of Object.keys(part)) {
      add(name);
      open.push(read(part, name));
    }
  }
  known.set(schema, words);
  return words;
}

function read(part: object, name: string): unknown {
  try {
    return Reflect.get(part, name);
  } catch {
    // A getter of a lazy schema.
    return undefined;
  }
}
