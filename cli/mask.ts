import type { ExactRecord } from '../shared/operator/answers.ts';
import { OperatorError } from '../shared/operator-errors.ts';

/** A part of a record that must not be written: the key, a header, or a part of a JSON value. */
type Mask =
  | { readonly type: 'key' }
  | { readonly type: 'header'; readonly name: string }
  | { readonly type: 'value'; readonly path: readonly (string | number)[] };

/** Stands for every element of an array. */
const EVERY = '*';

/**
 * Masks what `--mask` names in every record: `key`, `headers.<name>`, `$.card.number`, `$.lines[*].name`. Equal values get equal
 * masks, and different values different ones, so that keys stay keys. Strings keep their length where that is possible, and every
 * value its type.
 *
 * @throws LockstepError COMMAND_LINE_INVALID for a mask that names nothing in any record, or a value that is not JSON: nothing may be
 * written then
 */
export function masked(records: readonly ExactRecord[], masks: readonly string[]): readonly ExactRecord[] {
  return masks.reduce((before, text) => {
    const mask = parseMask(text);
    const standIn = standIns();
    let isFound = false;
    const found = (value: unknown) => {
      isFound = true;
      return standIn(value);
    };
    const after = before.map((record) => withMask(record, mask, text, found));
    if (!isFound) throw invalid(`--mask ${text} names nothing in ${nameOf(before)}, so nothing was written`);
    return after;
  }, records);
}

function parseMask(text: string): Mask {
  if (text === 'key') return { type: 'key' };
  if (text.startsWith('headers.') && text.length > 'headers.'.length)
    return { type: 'header', name: text.slice('headers.'.length) };
  const path = /^\$((?:\.[^.[\]]+|\[(?:\*|\d+)\])+)$/.exec(text)?.[1];
  if (path === undefined)
    throw invalid(`expected --mask to be \`key\`, \`headers.<name>\` or a path such as $.card.number, got \`${text}\``);
  const parts = path.match(/\.[^.[\]]+|\[(?:\*|\d+)\]/g) ?? [];
  return {
    type: 'value',
    path: parts.map((part) => {
      if (part.startsWith('.')) return part.slice(1);
      const index = part.slice(1, -1);
      return index === EVERY ? EVERY : Number(index);
    }),
  };
}

function withMask(record: ExactRecord, mask: Mask, text: string, standIn: (value: unknown) => unknown): ExactRecord {
  const inText = (base64: string) => base64Of(String(standIn(textOf(base64))));
  switch (mask.type) {
    case 'key':
      return record.key === null ? record : { ...record, key: inText(record.key) };
    case 'header':
      return {
        ...record,
        headers: record.headers.map(({ name, value }) => ({ name, value: name === mask.name ? inText(value) : value })),
      };
    case 'value':
      return record.value === null
        ? record
        : { ...record, value: base64Of(JSON.stringify(maskedAt(parsed(record, text), mask.path, standIn))) };
    default:
      return mask satisfies never;
  }
}

function parsed({ position, value }: ExactRecord, text: string): unknown {
  try {
    return JSON.parse(textOf(value ?? ''));
  } catch {
    throw invalid(`--mask ${text} needs JSON, and the value of ${position} is none, so nothing was written`);
  }
}

function maskedAt(
  value: unknown,
  [part, ...rest]: readonly (string | number)[],
  standIn: (value: unknown) => unknown,
): unknown {
  if (part === undefined) return allMasked(value, standIn);
  if (Array.isArray(value))
    return value.map((one, index) => (part === EVERY || part === index ? maskedAt(one, rest, standIn) : one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === part ? maskedAt(one, rest, standIn) : one]),
  );
}

/** Of an object every member is masked: it keeps its form. */
function allMasked(value: unknown, standIn: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => allMasked(one, standIn));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, allMasked(one, standIn)]));
  return standIn(value);
}

/** Another value of the same type, the same one for the same. */
function standIns(): (value: unknown) => unknown {
  const known = new Map<unknown, number>();
  return (value) => {
    const number = known.get(value) ?? known.size + 1;
    known.set(value, number);
    if (typeof value === 'string') return `${number}`.padStart(value.length, 'x');
    if (typeof value === 'number') return number;
    return typeof value === 'boolean' ? false : value;
  };
}

function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function base64Of(text: string): string {
  return Buffer.from(text).toString('base64');
}

function nameOf(records: readonly ExactRecord[]): string {
  const last = records.at(-1)?.position;
  return records.length === 1 ? `${last}` : `the ${records.length} records up to ${last}`;
}

function invalid(what: string): OperatorError {
  return new OperatorError('COMMAND_LINE_INVALID', what);
}
