import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Range } from './evidence.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** A request about a partition's item, read as DynamoDB reads it. */
export type LedgerRequest = Place &
  ({ readonly type: 'claim' } | { readonly type: 'write'; readonly epoch: number; readonly settled: readonly Range[] });

interface UpdateItem {
  readonly Key?: Readonly<Record<string, AttributeValue>>;
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
}

/** Reads a request; `undefined` for what is no update of a partition's item. */
export function readLedgerRequest(target: string, body: string): LedgerRequest | undefined {
  if (!target.endsWith('.UpdateItem')) return undefined;
  const update: UpdateItem = JSON.parse(body);
  const place = placeOf(update.Key?.['pk']);
  if (place === undefined) return undefined;
  // Only a claim counts the epoch up; a write compares it.
  const epoch = comparedOrSet(update, update.ConditionExpression, 'epoch');
  if (epoch === undefined) return { ...place, type: 'claim' };
  return {
    ...place,
    type: 'write',
    epoch: Number(epoch.N),
    settled: decodeRanges(comparedOrSet(update, update.UpdateExpression, 'settled')?.S),
  };
}

/** The epoch that a granted claim's answer tells. */
export function grantedEpoch(answer: string): number {
  return Number(JSON.parse(answer).Attributes?.epoch?.N);
}

/** Topic and partition of `partition#<cluster>#<group>#<topic>#<number>`; `undefined` for other keys. */
export function placeOf(pk: AttributeValue | undefined): Place | undefined {
  const [, topic, number] = /^partition#.*#([^#]+)#(\d+)$/.exec(pk?.S ?? '') ?? [];
  return topic === undefined ? undefined : { topic, partition: Number(number) };
}

/**
 * Ranges as the ledger keeps them: distance from the range before, `+`, width less one, in base 36. A reader of our own, so
 * that a fault of the runtime's does not hide itself.
 */
export function decodeRanges(text: string | undefined): Range[] {
  let end = 0;
  return (text ?? '').split(',').flatMap((part) => {
    if (part === '') return [];
    const [distance = '', width = '0'] = part.split('+');
    const from = end + Number.parseInt(distance, 36);
    end = from + Number.parseInt(width, 36);
    return [{ from, to: end }];
  });
}

/** The value that an expression sets an attribute to, or compares it with: `#name = :value`. */
function comparedOrSet(
  { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} }: UpdateItem,
  expression = '',
  attribute: string,
): AttributeValue | undefined {
  for (const [, name = '', value = ''] of expression.matchAll(/(#\w+) = (:\w+)/g))
    if (names[name] === attribute) return values[value];
  return undefined;
}
