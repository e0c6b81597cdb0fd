import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Certificate } from '../../infra/local/certificate.ts';
import { itemBytes } from '../../test/fixtures/item-bytes.ts';
import { type DynamoDbRequest, type LoopbackServer, loopbackServer } from './loopback-server.ts';

type Item = Record<string, AttributeValue>;

/** A minimal DynamoDB for a single consumer. It ignores conditions. */
export interface GrantingDynamoDb extends LoopbackServer {
  /** Requests by operation. */
  readonly requests: ReadonlyMap<string, number>;
  /** Write units as AWS bills them: one per KB of the larger of the item before and after. */
  readonly writeUnits: number;
}

const WRITE_UNIT_BYTES = 1_024;

/** Grants every claim, accepts every write, and keeps the items, so that their sizes are real. */
export async function grantingDynamoDb(certificate?: Certificate): Promise<GrantingDynamoDb> {
  const items = new Map<string, Item>();
  const requests = new Map<string, number>();
  let writeUnits = 0;
  const change = (key: Item, next: (before: Item) => Item): Item => {
    const id = JSON.stringify(key);
    const before = items.get(id) ?? key;
    const after = next(before);
    items.set(id, after);
    writeUnits += Math.ceil(Math.max(billedBytes(before), billedBytes(after)) / WRITE_UNIT_BYTES);
    return after;
  };
  const server = await loopbackServer(({ operation, body }) => {
    requests.set(operation, (requests.get(operation) ?? 0) + 1);
    return { status: 200, body: JSON.stringify(answered(operation, body, change)) };
  }, certificate);
  return {
    ...server,
    requests,
    get writeUnits() {
      return writeUnits;
    },
  };
}

/** Size of an item in the request, where bytes are base64. */
function billedBytes(item: Item): number {
  return itemBytes(
    JSON.parse(JSON.stringify(item), (name, value) =>
      name === 'B' && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
    ),
  );
}

function answered(
  operation: string,
  body: DynamoDbRequest['body'],
  change: (key: Item, next: (before: Item) => Item) => Item,
): object {
  switch (operation) {
    case 'UpdateItem': {
      const Attributes = change(body['Key'] as Item, (before) => updated(before, updateOf(body)));
      return body['ReturnValues'] === 'ALL_NEW' ? { Attributes } : {};
    }
    case 'PutItem': {
      const item = body['Item'] as Item;
      change({ pk: item['pk'] ?? item['id'] ?? { NULL: true } }, () => item);
      return {};
    }
    case 'BatchExecuteStatement': {
      const statements = body['Statements'] as readonly Statement[];
      for (const statement of statements) {
        const { pk = { NULL: true }, ...attributes } = attributesOf(statement);
        change({ pk }, (before) => ({ ...before, ...attributes }));
      }
      return { Responses: statements.map(() => ({})) };
    }
    default:
      return {};
  }
}

interface Statement {
  readonly Statement: string;
  readonly Parameters: readonly AttributeValue[];
}

/** What an INSERT or UPDATE names, with its values. */
function attributesOf({ Statement, Parameters }: Statement): Item {
  const names = [...Statement.matchAll(/['"](\w+)['"](?:: |=)\?/g)].map(([, name = '']) => name);
  return Object.fromEntries(names.map((name, index) => [name, Parameters[index] ?? { NULL: true }]));
}

interface Update {
  readonly UpdateExpression: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues: Readonly<Record<string, AttributeValue>>;
}

function updateOf(body: DynamoDbRequest['body']): Update {
  const { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } = body as Partial<Update>;
  if (UpdateExpression === undefined || ExpressionAttributeValues === undefined)
    throw new TypeError('an update without an expression');
  return { UpdateExpression, ExpressionAttributeNames: ExpressionAttributeNames ?? {}, ExpressionAttributeValues };
}

/** The expressions that the ledger and its peers send: SET of values, `if_not_exists`, `list_append`; ADD of numbers; REMOVE. */
function updated(
  before: Item,
  { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues }: Update,
): Item {
  const after = { ...before };
  const nameOf = (path = '') => ExpressionAttributeNames?.[path] ?? path;
  const resolved = (term: string): AttributeValue => {
    const append = /^list_append\((.*), (:\w+)\)$/.exec(term);
    if (append !== null)
      return { L: [...(resolved(String(append[1])).L ?? []), ...(resolved(String(append[2])).L ?? [])] };
    const ifAbsent = /^if_not_exists\((\S+), (:\w+)\)$/.exec(term);
    if (ifAbsent !== null) return before[nameOf(ifAbsent[1])] ?? resolved(String(ifAbsent[2]));
    const value = ExpressionAttributeValues[term];
    if (value === undefined) throw new TypeError(`an expression that is not known here: ${term}`);
    return value;
  };
  for (const [, clause, terms = ''] of UpdateExpression.matchAll(/(SET|ADD|REMOVE) (.*?)(?= (?:SET|ADD|REMOVE) |$)/g)) {
    for (const term of terms.split(/, (?=#|\w+ =|\w+$|\w+ :)/)) {
      const [path, ...rest] = term.split(' ');
      const name = nameOf(path);
      if (clause === 'REMOVE') delete after[name];
      else if (clause === 'SET') after[name] = resolved(rest.slice(1).join(' '));
      else after[name] = { N: String(Number(before[name]?.N ?? 0) + Number(resolved(rest.join(' ')).N)) };
    }
  }
  return after;
}
