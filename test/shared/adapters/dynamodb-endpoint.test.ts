import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { dynamoDbEndpoint } from '../../../shared/adapters/dynamodb-endpoint.ts';

const REGIONS = ['us-east-1', 'eu-central-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1', 'us-iso-east-1'];
const MORE = ['us-isob-east-1', 'us-isof-south-1', 'eu-isoe-west-1'];

test.each([...REGIONS, ...MORE])('is in %s where the AWS SDK says', (Region) => {
  const client = new DynamoDBClient({ region: Region });
  const theirs = (UseDualStack: boolean, UseFIPS: boolean) =>
    `${client.config.endpointProvider({ Region, UseDualStack, UseFIPS }).url}`.replace(/\/$/, '');

  expect(dynamoDbEndpoint(Region, {})).toBe(theirs(false, false));
  expect(dynamoDbEndpoint(Region, { AWS_USE_FIPS_ENDPOINT: 'true' })).toBe(theirs(false, true));
  expect(dynamoDbEndpoint(Region, { AWS_USE_DUALSTACK_ENDPOINT: 'true' })).toBe(theirs(true, false));
  expect(dynamoDbEndpoint(Region, { AWS_USE_DUALSTACK_ENDPOINT: 'true', AWS_USE_FIPS_ENDPOINT: 'true' })).toBe(
    theirs(true, true),
  );
});

test('is what the environment names, the service before all services, unless that is switched off', () => {
  const all = { AWS_ENDPOINT_URL: 'https://127.0.0.1:4566' };
  const own = { ...all, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:8000' };

  expect(dynamoDbEndpoint('eu-central-1', all)).toBe('https://127.0.0.1:4566');
  expect(dynamoDbEndpoint('eu-central-1', own)).toBe('http://127.0.0.1:8000');
  expect(dynamoDbEndpoint('eu-central-1', { ...own, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' })).toBe(
    'https://dynamodb.eu-central-1.amazonaws.com',
  );
});
