import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { powertoolsConsumer } from './consumer.ts';

const table = new DynamoDBPersistenceLayer({ tableName: process.env['IDEMPOTENCY_TABLE'] ?? '' });

export const handler = powertoolsConsumer(process.env['KEYED_BY'] === 'orderId' ? 'orderId' : 'position', table);
