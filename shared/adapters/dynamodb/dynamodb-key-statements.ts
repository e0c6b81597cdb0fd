import {
  BatchExecuteStatementCommand,
  type BatchStatementRequest,
  type BatchStatementResponse,
} from '@aws-sdk/client-dynamodb';
import type { UnknownFate } from '../../ports/idempotency-key-store.ts';
import { StoreError } from '../../ports/store-error.ts';
import { byChunk } from './by-chunk.ts';
import { statementError, storeError } from './dynamodb-failure.ts';
import type { DynamoDbStoreOptions } from './dynamodb-ledger-store.ts';

/** Statements of one request. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html */
const TWENTY_FIVES = { size: 25, atOnce: 20 };

/** The result of one statement. `refused`: its condition did not hold. */
export type StatementAnswer = { readonly type: 'done' } | { readonly type: 'refused' } | UnknownFate;

/**
 * Sends statements in groups of twenty-five, side by side. Each succeeds or fails on its own, and has its own answer. Never
 * rejects.
 */
export function runStatements(
  { client, table }: DynamoDbStoreOptions,
  request: string,
  statements: readonly BatchStatementRequest[],
): Promise<readonly StatementAnswer[]> {
  return byChunk(statements, TWENTY_FIVES, async (chunk) => {
    try {
      const { Responses } = await client.send(new BatchExecuteStatementCommand({ Statements: [...chunk] }));
      return chunk.map((_, index) => answerOf(Responses?.[index], table, request));
    } catch (cause) {
      const unknown: UnknownFate = { type: 'unknown', error: storeError(cause, table, request) };
      return chunk.map(() => unknown);
    }
  });
}

function answerOf(response: BatchStatementResponse | undefined, table: string, request: string): StatementAnswer {
  if (response === undefined) {
    const error = new StoreError(`${request} of table ${table} was answered in part`, { transient: true });
    return { type: 'unknown', error };
  }
  const { Error: failure } = response;
  if (failure === undefined) return { type: 'done' };
  if (failure.Code === 'DuplicateItem' || failure.Code === 'ConditionalCheckFailed') return { type: 'refused' };
  return { type: 'unknown', error: statementError(failure, table, request) };
}
