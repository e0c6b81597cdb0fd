import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { isActing, LOOK_ALIAS } from '../shared/operator/look-only.ts';
import type { OperatorRequest } from '../shared/operator/requests.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import type { LetterCursor } from '../shared/redrive/open-letters.ts';
import type { RedriveReport } from '../shared/redrive/redrive.ts';
import { consumersOfAll, type DeployedConsumer } from './consumer.ts';
import type { Target, Watching } from './target.ts';

/** Milliseconds: the operator function's own time limit and a margin. */
const ANSWER_WITHIN_MS = 320_000;

/**
 * Stacks on AWS, with the credentials and the region of the aws command. A laptop cannot reach brokers in a VPC, so requests
 * that need Kafka go through each consumer's operator function.
 *
 * @throws LockstepError COMMAND_LINE_INVALID, CLOUD_UNKNOWN
 */
export async function awsTarget(stacks: readonly string[]): Promise<Target> {
  if (stacks.length === 0) throw new OperatorError('COMMAND_LINE_INVALID', 'expected --local or --stack');
  const outputs = await Promise.all([...new Set(stacks)].map(async (name) => [name, await outputsOf(name)] as const));
  const consumers = consumersOfAll(new Map(outputs));
  const lambda = new LambdaClient({ maxAttempts: 1, requestHandler: { requestTimeout: ANSWER_WITHIN_MS } });
  const dynamodb = new DynamoDBClient({});
  const sqs = new SQSClient({});
  const cloudwatch = new CloudWatchClient({});
  return {
    consumers,
    dynamodb,
    lambda,
    sqs,
    cloudwatch,
    who: callerIdentity,
    async operate(consumer, request, watching = {}) {
      const answer = await inSlices(lambda, consumer, request, watching);
      return answer as OperatorAnswers[(typeof request)['type']];
    },
    async *letterPages(consumer, { filter, limit }) {
      let left = limit;
      let after: LetterCursor | undefined;
      do {
        const request = { type: 'letters', filter, limit: left, ...(after && { after }) } as const;
        const page = (await invokeOperator(lambda, consumer, request)) as OperatorAnswers['letters'];
        yield page;
        left -= page.letters.length;
        after = page.next;
      } while (after !== undefined && left > 0);
    },
    async [Symbol.asyncDispose]() {
      for (const client of [dynamodb, lambda, sqs, cloudwatch]) client.destroy();
    },
  };
}

/** Repeats a request that did not fit the function's time limit. Work that was done is not done again. */
async function inSlices(
  lambda: LambdaClient,
  consumer: DeployedConsumer,
  request: OperatorRequest,
  { onProgress, signal }: Watching,
): Promise<OperatorAnswers[keyof OperatorAnswers]> {
  if (request.type !== 'redrive' && request.type !== 'purge') return invokeOperator(lambda, consumer, request);
  let done = 0;
  for (;;) {
    const report = (await invokeOperator(lambda, consumer, request)) as RedriveReport;
    done += report.done;
    const all = { ...report, done, selected: done + report.left };
    onProgress?.(done, all.selected);
    if (request.dryRun || report.left === 0 || signal?.aborted) return all;
    if (report.done === 0)
      throw new OperatorError(
        'OPERATOR_FAILED',
        `the redrive of ${consumer.name} made no progress in one call of its operator function`,
      );
  }
}

/** Invokes a consumer's operator function. @throws LockstepError OPERATOR_FAILED with what it threw */
export async function invokeOperator(
  lambda: LambdaClient,
  consumer: DeployedConsumer,
  request: OperatorRequest,
): Promise<OperatorAnswers[keyof OperatorAnswers]> {
  const { name, operatorFunctionName } = consumer;
  if (operatorFunctionName === undefined)
    throw new OperatorError(
      'OPERATOR_FAILED',
      `${name} has no operator function: it was deployed with operations: false`,
    );
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: operatorFunctionName,
      // A principal who may only look has the right to invoke only the alias.
      ...(!isActing(request) && { Qualifier: LOOK_ALIAS }),
      Payload: JSON.stringify(request),
    }),
  );
  const payload = JSON.parse(Buffer.from(answer.Payload ?? []).toString() || 'null');
  if (answer.FunctionError === undefined) return payload;
  const said = typeof payload?.errorMessage === 'string' ? payload.errorMessage : JSON.stringify(payload);
  throw new OperatorError('OPERATOR_FAILED', `the operator function of ${name} failed: ${said}`);
}

/** The ARN of the identity with these credentials. */
async function callerIdentity(): Promise<string> {
  const client = new STSClient({});
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? 'unknown';
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('CLOUD_UNKNOWN', `the identity of the credentials could not be read: ${why}`, { cause });
  } finally {
    client.destroy();
  }
}

async function outputsOf(StackName: string): Promise<Record<string, string>> {
  const client = new CloudFormationClient({});
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return Object.fromEntries(
      (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('CLOUD_UNKNOWN', `stack ${StackName} could not be read: ${why}`, { cause });
  } finally {
    client.destroy();
  }
}
