import type {
  IdempotencyKeyStore,
  KeyClaimAnswer,
  KeyClaimRequest,
  KeyCompletionAnswer,
  KeyReturnAnswer,
  UnknownFate,
} from '../../ports/idempotency-key-store.ts';
import { storeError } from './dynamodb-failure.ts';
import { type DynamoDbKeyStoreOptions, lookUpKeys } from './dynamodb-key-look-up.ts';
import { runStatements } from './dynamodb-key-statements.ts';
import { claimStatement, completionStatement, returnStatement } from './ledger-key-statements.ts';

const CLAIM = 'the claim of idempotency keys';
const COMPLETION = 'the completion of idempotency keys';
const RETURN = 'giving back idempotency keys';
const GRANTED: KeyClaimAnswer = { type: 'granted' };
const COMPLETED: KeyCompletionAnswer = { type: 'completed' };
const SETTLED: KeyReturnAnswer = { type: 'settled' };

/**
 * Idempotency keys in the ledger's table, written in groups of twenty-five: a request for each key would take longer than
 * everything else in a batch. Holders of refused keys are read in groups of a hundred. Failures are answers with the code
 * LEDGER_UNAVAILABLE or LEDGER_ITEM_UNREADABLE.
 */
export function dynamoDbKeyStore(options: DynamoDbKeyStoreOptions): IdempotencyKeyStore {
  const { table } = options;
  return {
    claim: (requests) => claim(options, requests),
    async complete(completions) {
      const statements = completions.map((completion) => completionStatement(table, completion));
      const answers = await runStatements(options, COMPLETION, statements);
      return answers.map((answer): KeyCompletionAnswer => {
        if (answer.type === 'unknown') return answer;
        return answer.type === 'done' ? COMPLETED : { type: 'takenOver' };
      });
    },
    async giveBack(returns) {
      const statements = returns.map((one) => returnStatement(table, one));
      const answers = await runStatements(options, RETURN, statements);
      return answers.map((answer) => (answer.type === 'unknown' ? answer : SETTLED));
    },
  };
}

async function claim(
  options: DynamoDbKeyStoreOptions,
  requests: readonly KeyClaimRequest[],
): Promise<readonly KeyClaimAnswer[]> {
  const statements = requests.map((request) => claimStatement(options.table, request));
  const answers = await runStatements(options, CLAIM, statements);
  const refused = requests.flatMap(({ key }, index) => (answers[index]?.type === 'refused' ? key : []));
  const present = refused.length === 0 ? [] : await itemsOf(options, refused);
  let next = 0;
  return answers.map((answer) => {
    if (answer.type === 'unknown') return answer;
    return answer.type === 'done' ? GRANTED : (present[next++] as KeyClaimAnswer);
  });
}

/** The items because of which claims were refused. */
async function itemsOf(options: DynamoDbKeyStoreOptions, keys: readonly string[]): Promise<readonly KeyClaimAnswer[]> {
  try {
    const items = await lookUpKeys(options, keys);
    return items.map((item) => (item === undefined ? { type: 'gone' } : { type: 'held', item }));
  } catch (cause) {
    const unknown: UnknownFate = { type: 'unknown', error: storeError(cause, options.table, CLAIM) };
    return keys.map(() => unknown);
  }
}
