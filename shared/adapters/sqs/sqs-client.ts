/**
 * What the fallback queue needs of the SDK's client. The queue imports this module on demand. A dynamic import of
 * `@aws-sdk/client-sqs` itself would put all commands of that client into the package.
 */
export { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
