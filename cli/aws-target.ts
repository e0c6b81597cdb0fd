import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
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

/** Milliseconds: the operator function's own time limit, and some. */
const ANSWER_WITHIN_MS = 320_000;

/**
 * Stacks on AWS, with credentials and region as the aws command finds them. Brokers in a VPC cannot be reached from a laptop: what
 * needs Kafka goes through each consumer's operator function.
 *
 * @throws LockstepError COMMAND_LINE_INVALID, CLOUD_UNKNOWN
 */
export async function awsTarget(stacks: readonly string[]): Promise<Target> {
  if (stacks.length === 0) throw new OperatorError('COMMAND_LINE_INVALID', 'neither --local nor --stack was given');
  const outputs = await Promise.all([...new Set(stacks)].map(async (name) => [name, await outputsOf(name)] as const));
  const consumers = consumersOfAll(new Map(outputs));
  const lambda = new LambdaClient({ maxAttempts: 1, requestHandler: { requestTimeout: ANSWER_WITHIN_MS } });
  const dynamodb = new DynamoDBClient({});
  const sqs = new SQSClient({});
  return {
    consumers,
    dynamodb,
    lambda,
    sqs,
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
      for (const client of [dynamodb, lambda, sqs]) client.destroy();
    },
  };
}

/** A redrive that its function's time did not suffice for is asked for again: what was done is not done again. */
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
      throw new OperatorError('OPERATOR_FAILED', `a slice of the redrive of ${consumer.name} moved nothing`);
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
      // Who may only look has the right to the alias alone.
      ...(!isActing(request) && { Qualifier: LOOK_ALIAS }),
      Payload: JSON.stringify(request),
    }),
  );
  const payload = JSON.parse(Buffer.from(answer.Payload ?? []).toString() || 'null');
  if (answer.FunctionError === undefined) return payload;
  const said = typeof payload?.errorMessage === 'string' ? payload.errorMessage : JSON.stringify(payload);
  throw new OperatorError('OPERATOR_FAILED', `the operator function of ${name} said: ${said}`);
}

/** The ARN of whoever's credentials these are. */
async function callerIdentity(): Promise<string> {
  const client = new STSClient({});
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? 'unknown';
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('CLOUD_UNKNOWN', `whose credentials these are could not be asked: ${why}`, { cause });
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
