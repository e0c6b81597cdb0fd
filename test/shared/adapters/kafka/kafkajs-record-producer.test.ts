import { expect, test } from 'vitest';
import type { LinkEnd } from '../../../../shared/adapters/kafka/kafkajs-link.ts';
import type { Written } from '../../../../shared/adapters/kafka/kafkajs-producer-connection.ts';
import { kafkaJsRecordProducer } from '../../../../shared/adapters/kafka/kafkajs-record-producer.ts';

const outgoing = [{ topic: 'shipments', key: null, value: Buffer.from('1'), headers: [] }];

function producerThatEnds(end: LinkEnd<Written>) {
  return kafkaJsRecordProducer({ send: async () => end, disconnect: async () => undefined });
}

const failed = (type: 'unreachable' | 'transient' | 'tooLarge' | 'refused', reason: string): LinkEnd<Written> => ({
  type: 'failed',
  failure: { type, reason, cause: new Error(reason) },
});

test.each([
  [failed('unreachable', 'KafkaJSConnectionError: refused'), 'BROKER_UNREACHABLE'],
  [failed('transient', 'NOT_ENOUGH_REPLICAS'), 'BROKER_UNREACHABLE'],
  [{ type: 'late', failure: undefined } as const, 'BROKER_UNREACHABLE'],
  [failed('tooLarge', 'MESSAGE_TOO_LARGE'), 'PRODUCE_FAILED'],
  [failed('refused', 'TOPIC_AUTHORIZATION_FAILED'), 'PRODUCE_FAILED'],
  [failed('transient', 'UNKNOWN_TOPIC_OR_PARTITION'), 'PRODUCE_FAILED'],
])('says whether waiting helps a record that was not acknowledged: %o', async (end, code) => {
  await expect(producerThatEnds(end).produce(outgoing, 0)).rejects.toMatchObject({
    code,
    message: expect.stringContaining('1 record for shipments not acknowledged'),
  });
});

test('resolves when everything is acknowledged', async () => {
  await expect(
    producerThatEnds({ type: 'done', value: { stampedOnAppend: false } }).produce(outgoing, 0),
  ).resolves.toBeUndefined();
});
