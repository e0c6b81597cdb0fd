import type { StandardSchemaV1 } from '@standard-schema/spec';

/** How many issues an error names. */
const MAX_ISSUES = 5;
/** How many segments of a path an error names. */
const MAX_SEGMENTS = 16;
/** How many characters of an issue an error quotes, for consumers that redact. */
const MAX_QUOTED = 2_000;
/** How many parts of a schema are searched for its own words. */
const MAX_PARTS = 20_000;
const MAX_WORD = 64;

/** Zod's codes for issues. Other libraries have theirs in their schemas. https://zod.dev/packages/core#issue-types */
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
 * Says what is wrong with a value, without quoting it. A path has only names that are in the schema. Any other name, for
 * example the key of a map, is `*`, and an index is `[]`. Of an issue only words that are in the schema are given: messages
 * quote the value.
 */
export function describeIssues(schema: object, issues: readonly StandardSchemaV1.Issue[]): string {
  const words = wordsOf(schema);
  const texts = issues.slice(0, MAX_ISSUES).map((issue) => {
    const place = placeOf(issue, words);
    const what = faultOf(issue, words);
    return place === '' ? what : `${place}: ${what}`;
  });
  const more = issues.length > MAX_ISSUES ? ` and ${issues.length - MAX_ISSUES} more` : '';
  return `${texts.join('; ')}${more}`;
}

/** Messages and paths as the schema library gives them. They may quote the value. */
export function quoteIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .slice(0, MAX_ISSUES)
    .map((issue) => {
      const place = segmentsOf(issue).map((segment) => String(segment).slice(0, MAX_WORD));
      return `${place.join('.')}: ${String(issue.message).slice(0, MAX_QUOTED)}`;
    })
    .join('; ');
}

function placeOf(issue: StandardSchemaV1.Issue, words: ReadonlySet<unknown>): string {
  const segments = segmentsOf(issue);
  const place = segments.map((segment, index) => {
    if (typeof segment === 'number') return '[]';
    const name = words.has(segment) ? String(segment) : '*';
    return index === 0 ? name : `.${name}`;
  });
  return place.join('') + ((issue.path?.length ?? 0) > MAX_SEGMENTS ? '…' : '');
}

function segmentsOf({ path = [] }: StandardSchemaV1.Issue): readonly PropertyKey[] {
  return path.slice(0, MAX_SEGMENTS).map((segment) => (typeof segment === 'object' ? segment.key : segment));
}

function faultOf(issue: StandardSchemaV1.Issue, words: ReadonlySet<unknown>): string {
  const { code, type, expected } = issue as Readonly<Partial<Record<'code' | 'type' | 'expected', unknown>>>;
  const known = (word: unknown) => (words.has(word) ? String(word) : undefined);
  const kind = known(code) ?? known(type);
  const wanted = known(expected);
  const parts = [kind !== wanted && kind, wanted !== undefined && `expected ${wanted}`].filter(Boolean);
  return parts.length === 0 ? 'is not valid' : parts.join(', ');
}

const known = new WeakMap<object, ReadonlySet<unknown>>();

/** Every name and text in a schema. Its author wrote them; they never come from a record. */
function wordsOf(schema: object): ReadonlySet<unknown> {
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
      try {
        open.push(Reflect.get(part, name));
      } catch {
        // The getter of a lazy schema.
      }
    }
  }
  known.set(schema, words);
  return words;
}
