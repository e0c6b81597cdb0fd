/**
 * Characters that a terminal acts on or does not show: control characters (C0, C1, newlines), characters that turn the writing
 * direction, have no width or are ignored, line separators, private and half characters, and blanks that look like a space.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|[^\P{Zs} ]/gu;
/** Most texts: there is nothing to escape in them. */
const PLAIN = /^[ -~]*$/;
/** More combining marks on one character would reach into the lines above and below. */
const TOO_MANY_MARKS = /(?<=\p{M}{3})\p{M}/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text from outside in a form that a terminal may show: on one line, with invisible characters escaped as `\u202e`. */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(INVISIBLE, escaped).replace(TOO_MANY_MARKS, escaped);
}

/** Plain data with every text made {@link visible}. */
export function visibleData<T>(value: T): T {
  return made(value) as T;
}

/** JSON with invisible characters escaped. A script that parses it gets the original characters. */
export function visibleJson(value: unknown): string {
  const units = (found: string) => [...Array(found.length).keys()].map((at) => unit(found.charCodeAt(at))).join('');
  return JSON.stringify(value).replace(INVISIBLE, units).replace(TOO_MANY_MARKS, units);
}

function made(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(made);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [visible(name), made(one)]));
}

function escaped(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  return SHORT[found] ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : unit(code));
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
