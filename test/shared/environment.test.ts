import { expect, test } from 'vitest';
import { readEnvironment } from '../../shared/environment.ts';

const deployed = {
  LOCKSTEP_LEDGER_TABLE: 'Ledger',
  LOCKSTEP_CONSUMER_GROUP: 'shop-orders',
  LOCKSTEP_DEAD_LETTER_TOPIC: 'orders.dead',
  LOCKSTEP_FALLBACK_QUEUE_URL: 'https://sqs.example/1/fallback',
  LOCKSTEP_EVENT_SOURCE_ARN: 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9',
  LOCKSTEP_TOPIC: 'orders',
  LOCKSTEP_CLUSTER_ARN: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
  LOCKSTEP_MAX_ATTEMPTS: 'Infinity',
  LOCKSTEP_MAX_INTERRUPTIONS: '12',
  LOCKSTEP_KEY_NAMESPACES: 'payments#refunds, all',
};

test('is what the construct set, with IAM and partial answers by default', () => {
  expect(readEnvironment(deployed)).toEqual({
    ledgerTable: 'Ledger',
    consumerGroup: 'shop-orders',
    deadLetterTopic: 'orders.dead',
    fallbackQueueUrl: 'https://sqs.example/1/fallback',
    eventSourceArn: 'arn:aws:kafka:eu-central-1:444455556666:vpc-connection/111122223333/main/conn-9',
    topic: 'orders',
    clusterArn: 'arn:aws:kafka:eu-central-1:111122223333:cluster/main/uuid-1',
    maxAttempts: Number.POSITIVE_INFINITY,
    maxInterruptions: 12,
    onExhausted: 'deadLetter',
    keyNamespaces: ['payments', 'refunds, all'],
    kafkaAuth: 'iam',
    valuesDecodedByMapping: false,
    failureMode: 'report',
    metricsNamespace: 'Lockstep',
    serviceName: 'shop-orders',
  });
});

test.each(Object.keys(deployed))('without %s it is refused by name', (name) => {
  expect(() => readEnvironment({ ...deployed, [name]: '' })).toThrow(
    `ENVIRONMENT_INVALID: environment variable ${name} is not set. Deploy the function`,
  );
});

test.each([
  [
    'LOCKSTEP_KAFKA_AUTH',
    'kerberos',
    'to be one of `iam`, `scram`, `scram-256`, `plain`, `mtls`, `tls`, `none`, got `kerberos`',
  ],
  ['LOCKSTEP_FAILURE_MODE', 'drop', 'to be one of `report`, `throw`, got `drop`'],
  ['LOCKSTEP_MAX_ATTEMPTS', '0', 'to be a whole number from 1, or Infinity, got `0`'],
  ['LOCKSTEP_MAX_ATTEMPTS', 'NaN', 'to be a whole number from 1, or Infinity, got `NaN`'],
  ['LOCKSTEP_MAX_INTERRUPTIONS', '2.5', 'to be a whole number from 1, or Infinity, got `2.5`'],
  ['LOCKSTEP_MAX_INTERRUPTIONS', '-Infinity', 'to be a whole number from 1, or Infinity, got `-Infinity`'],
  ['LOCKSTEP_VALUES_DECODED_BY_MAPPING', 'yes', 'to be one of `true`, `false`, got `yes`'],
])('%s = %s is refused with what it may be', (name, value, says) => {
  expect(() => readEnvironment({ ...deployed, [name]: value })).toThrow(
    `ENVIRONMENT_INVALID: expected environment variable ${name} ${says}`,
  );
});

test.each(['scram', 'scram-256', 'plain', 'mtls'])('%s needs its secret', (auth) => {
  const variables = { ...deployed, LOCKSTEP_KAFKA_AUTH: auth };

  expect(() => readEnvironment(variables)).toThrow('LOCKSTEP_KAFKA_SECRET_ARN is not set');
  expect(readEnvironment({ ...variables, LOCKSTEP_KAFKA_SECRET_ARN: 'arn:secret' })).toMatchObject({
    kafkaAuth: auth,
    kafkaSecretArn: 'arn:secret',
  });
});
