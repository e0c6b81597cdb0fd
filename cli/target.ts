import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import type { ListOrder } from '../shared/operator/letters.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import type { DeployedConsumer } from './consumer.ts';

/** What a long request may tell and be told. */
export interface Watching {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Where the commands work: the local cloud, or stacks on AWS. */
export interface Target extends AsyncDisposable {
  readonly consumers: readonly DeployedConsumer[];
  readonly dynamodb: DynamoDBClient;
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  /** Who works here, as ledger and markers keep it: on AWS the caller's own identity, not a text of their choice. */
  who(): Promise<string>;
  /** What needs Kafka: done here, or by the deployed operator function. */
  operate<R extends OperatorRequest>(
    consumer: DeployedConsumer,
    request: R,
    watching?: Watching,
  ): Promise<OperatorAnswers[R['type']]>;
  /** Letters page by page: however many there are, one page is in memory. */
  letterPages(
    consumer: DeployedConsumer,
    order: Pick<ListOrder, 'filter' | 'limit'>,
  ): AsyncIterable<OperatorAnswers['letters']>;
}
