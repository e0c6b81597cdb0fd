import type { ValueView } from './messages.ts';

/** Larger values are shown in part: a page stays readable, and nobody reads more. */
const MOST_TEXT_BYTES = 256 * 1024;
const MOST_HEX_BYTES = 16 * 1024;
/** Deeper JSON is shown as it is: its indentation would be larger than itself. */
const MOST_DEPTH = 50;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A value as JSON, text or hex. */
export function valueView(value: Buffer | null): ValueView {
  if (value === null) return { form: 'none', text: '', bytes: 0, cut: 0 };
  const text = textOf(value);
  if (text === undefined) {
    const shown = value.subarray(0, MOST_HEX_BYTES);
    return { form: 'hex', text: hexLines(shown), bytes: value.length, cut: value.length - shown.length };
  }
  if (value.length > MOST_TEXT_BYTES) {
    // A character may be cut in two: the replacement character stands for its first half.
    const shown = value
      .subarray(0, MOST_TEXT_BYTES)
      .toString('utf8')
      .replace(/\ufffd$/, '');
    return { form: 'text', text: shown, bytes: value.length, cut: value.length - MOST_TEXT_BYTES };
  }
  const json = indented(text);
  return json === undefined
    ? { form: 'text', text, bytes: value.length, cut: 0 }
    : { form: 'json', text: json, bytes: value.length, cut: 0 };
}

/** JSON with a line for each member. Nothing in it changes: numbers keep all digits, and repeated names stay. */
function indented(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let depth = 0;
  let lines = '';
  for (const [index, token] of tokens.entries()) {
    const isEmpty = (token === '{' && tokens[index + 1] === '}') || (token === '[' && tokens[index + 1] === ']');
    const wasEmpty = (token === '}' && tokens[index - 1] === '{') || (token === ']' && tokens[index - 1] === '[');
    if (token === '{' || token === '[') {
      depth++;
      if (depth > MOST_DEPTH) return undefined;
      lines += isEmpty ? token : `${token}\n${'  '.repeat(depth)}`;
    } else if (token === '}' || token === ']') {
      depth--;
      lines += wasEmpty ? token : `\n${'  '.repeat(depth)}${token}`;
    } else if (token === ',') lines += `,\n${'  '.repeat(depth)}`;
    else lines += token === ':' ? ': ' : token;
  }
  return lines;
}

function textOf(value: Buffer): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}

/** Sixteen bytes a line: offset, bytes, and what is printable of them. */
function hexLines(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
