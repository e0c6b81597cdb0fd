import { type AttributeValue, BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import type { KeyItem } from '../../decide/idempotency.ts';
import type { Clock } from '../../ports/clock.ts';
import { StoreError } from '../../ports/store-error.ts';
import { byChunk } from './by-chunk.ts';
import type { DynamoDbStoreOptions } from './dynamodb-ledger-store.ts';
import { text } from './ledger-attributes.ts';
import { decodeKeyItem } from './ledger-key-item.ts';

/** Keys of one BatchGetItem. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const HUNDREDS = { size: 100, atOnce: 10 };
/** How often unprocessed keys are requested again before the look-up fails as throttled. */
const MAX_LOOK_UPS = 5;
const FIRST_BACK_OFF_MS = 20;

/** Where keys are kept, and the clock for the pause before unprocessed keys are requested again. */
export interface DynamoDbKeyStoreOptions extends DynamoDbStoreOptions {
  readonly clock: Pick<Clock, 'sleep'>;
}

/** The items of distinct keys, `undefined` for absent ones: one consistent BatchGetItem for each hundred keys, side by side. */
export function lookUpKeys(
  options: DynamoDbKeyStoreOptions,
  keys: readonly string[],
): Promise<readonly (KeyItem | undefined)[]> {
  return byChunk(keys, HUNDREDS, async (hundred) => {
    const found = await lookUpHundred(options, hundred);
    return hundred.map((key) => found.get(key));
  });
}

async function lookUpHundred(
  { client, table, clock }: DynamoDbKeyStoreOptions,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyItem>> {
  const found = new Map<string, KeyItem>();
  let wanted: Record<string, AttributeValue>[] = keys.map((key) => ({ pk: text(key) }));
  for (let tries = 1; ; tries++) {
    const RequestItems = { [table]: { Keys: wanted, ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems }));
    for (const item of Responses?.[table] ?? []) found.set(item['pk']?.S ?? '', decodeKeyItem(item));
    wanted = UnprocessedKeys?.[table]?.Keys ?? [];
    if (wanted.length === 0) return found;
    if (tries === MAX_LOOK_UPS) {
      const left = `a look-up in table ${table} left ${wanted.length} of ${keys.length} keys unprocessed ${tries} times`;
      throw new StoreError(left, { transient: true });
    }
    await clock.sleep(FIRST_BACK_OFF_MS * 2 ** (tries - 1));
  }
}
