import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { LocalCloudError } from '../infra/local/local-cloud-error.ts';
import { clientConfig } from '../infra/local/local-endpoint.ts';
import { dynamoDbClient } from '../shared/adapters/dynamodb/dynamodb-client.ts';
import { dynamoDbParkedKeys } from '../shared/adapters/dynamodb/dynamodb-parked-keys.ts';
import { dynamoDbStackSecret } from '../shared/adapters/dynamodb/dynamodb-stack-secret.ts';
import { releaseInvoker } from '../shared/adapters/lambda/release-invoker.ts';
import { systemClock } from '../shared/adapters/system/system-clock.ts';
import type { OperatorAnswers } from '../shared/operator/answers.ts';
import { operatorPorts } from '../shared/operator/connect-operator.ts';
import { letterPages } from '../shared/operator/letters.ts';
import { operate } from '../shared/operator/operate.ts';
import { OperatorError } from '../shared/operator-errors.ts';
import { consumersOf, type DeployedConsumer } from './consumer.ts';
import { describedCloud } from './local-cloud.ts';
import { SILENT } from './silent-log.ts';
import type { Target } from './target.ts';
import { whoAmI } from './who.ts';

/** Each request has a time limit of its own. */
const ONE_DAY_MS = 24 * 60 * 60 * 1_000;

/** The local cloud of `lockstep dev`: its broker is on loopback, so nothing goes through a function. @throws LockstepError CLOUD_UNKNOWN */
export async function localTarget(): Promise<Target> {
  const { endpoint, bootstrapServers, deployed } = await describedCloud().catch((cause: unknown) => {
    const why =
      cause instanceof LocalCloudError ? 'no local cloud is running' : 'the file of the local cloud is unreadable';
    throw new OperatorError('CLOUD_UNKNOWN', why, { cause });
  });
  const config = clientConfig(endpoint);
  const dynamodb = dynamoDbClient({
    endpoint: config.endpoint,
    region: config.region,
    credentials: config.credentials,
    httpsAgent: config.requestHandler.httpsAgent,
  });
  const lambda = new LambdaClient(config);
  const sqs = new SQSClient(config);
  const cloudwatch = new CloudWatchClient(config);
  const reach = (consumer: DeployedConsumer) =>
    operatorPorts(
      consumer,
      {
        brokers: () => bootstrapServers,
        authentication: { auth: 'none' },
        clock: systemClock,
        log: SILENT,
      },
      dynamoDbStackSecret({ client: dynamodb, table: consumer.ledgerTable }),
      {
        parkedKeys: dynamoDbParkedKeys({ client: dynamodb, table: consumer.ledgerTable, clock: systemClock }),
        invoke: releaseInvoker(consumer.functionName ?? '', config),
      },
    );
  return {
    consumers: consumersOf(deployed.outputs),
    dynamodb,
    lambda,
    sqs,
    cloudwatch,
    who: async () => whoAmI(),
    async operate(consumer, request, { onProgress, signal } = {}) {
      const ports = reach(consumer);
      try {
        const answer = await operate(
          request,
          { ...ports, ...(onProgress && { onProgress }), ...(signal && { signal }) },
          { giveUpAt: systemClock.now() + ONE_DAY_MS },
        );
        return answer as OperatorAnswers[(typeof request)['type']];
      } finally {
        await Promise.all([ports.log.disconnect(), ports.transactions.disconnect()]);
      }
    },
    async *letterPages(consumer, order) {
      const { log, deadLetterTopic, group, secret } = reach(consumer);
      try {
        const owner = { deadLetterTopic, group, secret: await secret() };
        yield* letterPages({ log, ...owner, giveUpAt: systemClock.now() + ONE_DAY_MS }, order);
      } finally {
        await log.disconnect();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const client of [dynamodb, lambda, sqs, cloudwatch]) client.destroy();
    },
  };
}
