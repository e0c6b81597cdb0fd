import {
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
} from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { readKafkaFailure } from '../../../../shared/adapters/kafka/kafkajs-failure.ts';
import { LockstepError } from '../../../../shared/errors.ts';

const gaveUp = (error: Error) => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 0, retryTime: 300 });
const protocol = (type: string, retriable: boolean) =>
  new KafkaJSProtocolError(Object.assign(new Error('x'), { type, code: 1, retriable }));

describe('a failure of kafkajs is read', () => {
  test.each<[string, unknown, string, string]>([
    ['a lost connection', new KafkaJSConnectionError('gone', {}), 'unreachable', 'KafkaJSConnectionError: gone'],
    [
      'one that kafkajs gave up on',
      gaveUp(new KafkaJSConnectionError('gone', {})),
      'unreachable',
      'KafkaJSConnectionError: gone',
    ],
    ['a new leader', gaveUp(protocol('NOT_LEADER_FOR_PARTITION', true)), 'transient', 'NOT_LEADER_FOR_PARTITION'],
    ['a record that is too large', protocol('MESSAGE_TOO_LARGE', false), 'tooLarge', 'MESSAGE_TOO_LARGE'],
    [
      'a missing right',
      Object.assign(new KafkaJSNonRetriableError('x'), { cause: protocol('TOPIC_AUTHORIZATION_FAILED', false) }),
      'refused',
      'TOPIC_AUTHORIZATION_FAILED',
    ],
    [
      'an authentication that the broker does not take',
      protocol('UNSUPPORTED_SASL_MECHANISM', false),
      'unreachable',
      'UNSUPPORTED_SASL_MECHANISM',
    ],
    ['a token that could not be signed', new Error('no credentials'), 'unreachable', 'Error: no credentials'],
    [
      'a secret that could not be read',
      new LockstepError('BROKER_UNREACHABLE', 'no secret'),
      'unreachable',
      expect.stringContaining('no secret'),
    ],
    ['nothing', undefined, 'unreachable', ''],
    ['text', 'gone', 'unreachable', 'gone'],
  ])('%s', (_, error, type, reason) => {
    expect(readKafkaFailure(error)).toMatchObject({ type, reason });
  });
});
