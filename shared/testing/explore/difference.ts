import { inspect, isDeepStrictEqual } from 'node:util';
import { isPlain } from './data-copy.ts';

/** How two observations differ, by place: what is there twice, what is missing. At most `most` lines. */
export function difference(observed: unknown, expected: unknown, most = 4): readonly string[] {
  const lines = differences(observed, expected, '');
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more differences`];
}

function differences(observed: unknown, expected: unknown, place: string): string[] {
  if (isDeepStrictEqual(observed, expected)) return [];
  const at = place === '' ? '' : `${place}: `;
  if (Array.isArray(observed) && Array.isArray(expected)) return listDifferences(observed, expected, at);
  if (observed instanceof Set && expected instanceof Set) return listDifferences([...observed], [...expected], at);
  const [a, b] = [membersOf(observed), membersOf(expected)];
  if (a === undefined || b === undefined) return [`${at}${shown(observed)} instead of ${shown(expected)}`];
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((name) => {
    const path = place === '' ? name : `${place}.${name}`;
    if (!b.has(name)) return [`${path}: ${shown(a.get(name))}, which should not be there`];
    if (!a.has(name)) return [`${path}: missing, should be ${shown(b.get(name))}`];
    return differences(a.get(name), b.get(name), path);
  });
}

function membersOf(value: unknown): Map<string, unknown> | undefined {
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [keyText(key), member]));
  return typeof value === 'object' && value !== null && isPlain(value) ? new Map(Object.entries(value)) : undefined;
}

function listDifferences(observed: readonly unknown[], expected: readonly unknown[], at: string): string[] {
  const left = [...observed];
  const missing = expected.filter((one) => {
    const index = left.findIndex((other) => isDeepStrictEqual(other, one));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  if (missing.length === 0 && left.length === 0)
    return [`${at}in another order: ${shown(observed)} instead of ${shown(expected)}`];
  const isDouble = (one: unknown) => expected.some((other) => isDeepStrictEqual(other, one));
  return [
    ...left.map((one) => `${at}${shown(one)} ${isDouble(one) ? 'once more than it should be' : 'should not be there'}`),
    ...missing.map((one) => `${at}${shown(one)} is missing`),
  ];
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : shown(key);
}

/** A value on one line, not too long. */
export function shown(value: unknown, most = 60): string {
  const text = inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 4, compact: true });
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
