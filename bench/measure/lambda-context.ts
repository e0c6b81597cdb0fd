import type { Context } from 'aws-lambda';

const INVOCATION_MS = 60_000;

/** What Lambda gives a handler beside the event. */
export function lambdaContext(requestId: string): Context {
  const endsAt = Date.now() + INVOCATION_MS;
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'orders',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:orders',
    memoryLimitInMB: '512',
    logGroupName: '/aws/lambda/orders',
    logStreamName: 'bench',
    getRemainingTimeInMillis: () => endsAt - Date.now(),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}
