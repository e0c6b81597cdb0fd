import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { decodeRanges, encodeRanges, type OffsetRanges } from '../../record/offset-ranges.ts';

/** A DynamoDB item, or a map inside one. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Attributes, some of them absent. */
export type Sparse<Name extends string = string> = Readonly<Record<Name, AttributeValue | undefined>>;

export function text(value: string): AttributeValue {
  return { S: value };
}

export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** {@link number}, absent where there is none. */
export function maybeNumber(value: number | undefined): AttributeValue | undefined {
  return value === undefined ? undefined : number(value);
}

/** {@link text}, absent where there is none. */
export function maybeText(value: string | undefined): AttributeValue | undefined {
  return value === undefined ? undefined : text(value);
}

/** Absent instead of `false`. */
export function flag(value: boolean | undefined): AttributeValue | undefined {
  return value === true ? { BOOL: true } : undefined;
}

/** Absent instead of an empty set. */
export function ranges(value: OffsetRanges): AttributeValue | undefined {
  return value.length === 0 ? undefined : text(encodeRanges(value));
}

/** A map of the present fields. */
export function map(fields: Sparse): AttributeValue {
  return { M: present(fields) };
}

/** The present fields. */
export function present(fields: Sparse): Record<string, AttributeValue> {
  const kept: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** @throws TypeError naming the attribute, like all readers below */
export function readText(from: Attributes, name: string): string {
  const value = from[name]?.S;
  if (value === undefined) throw unexpected(from, name, 'a string');
  return value;
}

export function readNumber(from: Attributes, name: string): number {
  const value = Number(from[name]?.N);
  // A producer may set any 64-bit timestamp. One beyond 2^53 comes back as it was written.
  if (!Number.isInteger(value)) throw unexpected(from, name, 'an integer');
  return value;
}

export function readMap(from: Attributes, name: string): Attributes {
  const value = from[name]?.M;
  if (value === undefined) throw unexpected(from, name, 'a map');
  return value;
}

export function readList(from: Attributes, name: string): readonly AttributeValue[] {
  const value = from[name]?.L;
  if (value === undefined) throw unexpected(from, name, 'a list');
  return value;
}

export function readBytes(from: Attributes, name: string): Uint8Array {
  const value = from[name]?.B;
  if (value === undefined) throw unexpected(from, name, 'bytes');
  return value;
}

export function readFlag(from: Attributes, name: string): boolean {
  return from[name]?.BOOL === true;
}

export function readRanges(from: Attributes, name: string): OffsetRanges {
  return from[name] === undefined ? [] : decodeRanges(readText(from, name));
}

/** The attribute as `read` reads it, or an object without the property where the attribute is absent. */
export function optional<const P extends string, T>(
  property: P,
  read: (from: Attributes, name: string) => T,
  from: Attributes,
  name: string,
): { readonly [key in P]?: T } {
  return from[name] === undefined ? {} : ({ [property]: read(from, name) } as { readonly [key in P]: T });
}

function unexpected(from: Attributes, name: string, expected: string): TypeError {
  return new TypeError(`expected attribute ${name} to be ${expected}, got ${JSON.stringify(from[name]) ?? 'nothing'}`);
}
