import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import type { ListOrder } from '../shared/operator/letters.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import type { DeployedConsumer } from './consumer.ts';

/** Progress and cancellation of a long request. */
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
  readonly cloudwatch: CloudWatchClient;
  /**
   * Who runs the command, for the ledger and for markers. On AWS it is the caller's own identity, not a text of their choice.
   */
  who(): Promise<string>;
  /** Runs a request that needs Kafka: here, or in the deployed operator function. */
  operate<R extends OperatorRequest>(
    consumer: DeployedConsumer,
    request: R,
    watching?: Watching,
  ): Promise<OperatorAnswers[R['type']]>;
  /** Dead letters page by page, with one page in memory at a time. */
  letterPages(
    consumer: DeployedConsumer,
    order: Pick<ListOrder, 'filter' | 'limit'>,
  ): AsyncIterable<OperatorAnswers['letters']>;
}
