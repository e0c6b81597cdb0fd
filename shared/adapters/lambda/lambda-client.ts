/** What `releaseInvoker` needs of the SDK's client. It imports this module on demand. */
export { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
