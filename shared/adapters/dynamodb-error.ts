import type { AttributeValue, CancellationReason } from '@aws-sdk/client-dynamodb';
import { parseAnswer } from './dynamodb-wire.ts';
import type { Answer } from './https-post.ts';

/** What DynamoDB says when it refuses. */
interface Refusal {
  /** `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException` */
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
  readonly Item?: Record<string, AttributeValue>;
  readonly CancellationReasons?: readonly CancellationReason[];
}

/**
 * DynamoDB refused a request. `name` is its exception's.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export class DynamoDbError extends Error {
  readonly status: number;
  /** The item whose condition did not hold, where it was asked for and exists. */
  readonly item: Readonly<Record<string, AttributeValue>> | undefined;
  /** What each action of a transaction had against it. */
  readonly reasons: readonly CancellationReason[];
  /** The signature was refused since the clock was off; the next one is right. */
  readonly clockWasOff: boolean;

  constructor(answer: Answer, clockWasOff: boolean) {
    const { __type, message, Message, Item, CancellationReasons } = refusalOf(answer);
    const type = __type ?? String(answer.headers['x-amzn-errortype'] ?? `HTTP${answer.status}`);
    super(message ?? Message ?? '');
    this.name = type.replace(/^.*#/, '').replace(/:.*$/, '');
    this.status = answer.status;
    this.item = Item;
    this.reasons = CancellationReasons ?? [];
    this.clockWasOff = clockWasOff;
  }
}

/** A proxy on the way may answer with something else. */
function refusalOf({ text }: Answer): Refusal {
  try {
    return parseAnswer(text);
  } catch {
    return {};
  }
}
