import type { AttributeValue, CancellationReason } from '@aws-sdk/client-dynamodb';

/** What an answer may hold of items. Bytes in them are base64 until {@link parseAnswer} was at it. */
interface AnswerWithItems {
  readonly Item?: Record<string, AttributeValue>;
  readonly Attributes?: Record<string, AttributeValue>;
  readonly Responses?: Readonly<Record<string, readonly Record<string, AttributeValue>[]>>;
  readonly CancellationReasons?: readonly CancellationReason[];
}

/** A request as JSON: bytes as base64. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html */
export function requestText(input: object): string {
  return JSON.stringify(input, bytesAsBase64);
}

/** The holder is asked, since Buffers have turned themselves into JSON by the time `value` is seen. */
function bytesAsBase64(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const own = this[key];
  return own instanceof Uint8Array ? Buffer.from(own.buffer, own.byteOffset, own.byteLength).toString('base64') : value;
}

/** What an answer says, its items' bytes as bytes. @throws SyntaxError for what is not JSON */
export function parseAnswer<T>(text: string): T {
  const answer: T & AnswerWithItems = JSON.parse(text || '{}');
  reviveItem(answer.Item);
  reviveItem(answer.Attributes);
  for (const items of Object.values(answer.Responses ?? {})) items.forEach(reviveItem);
  for (const { Item } of answer.CancellationReasons ?? []) reviveItem(Item);
  return answer;
}

function reviveItem(item: Record<string, AttributeValue> | undefined): void {
  if (item !== undefined) for (const value of Object.values(item)) revive(value);
}

/** In place: nobody else has seen it. */
function revive(value: { B?: unknown; BS?: unknown; L?: AttributeValue[]; M?: Record<string, AttributeValue> }): void {
  if (typeof value.B === 'string') value.B = Buffer.from(value.B, 'base64');
  else if (Array.isArray(value.BS)) value.BS = value.BS.map((text: string) => Buffer.from(text, 'base64'));
  else if (value.M !== undefined) reviveItem(value.M);
  else value.L?.forEach(revive);
}
