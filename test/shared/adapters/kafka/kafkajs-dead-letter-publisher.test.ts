import { describe, expect, test } from 'vitest';
import { kafkaJsDeadLetterPublisher } from '../../../../shared/adapters/kafka/kafkajs-dead-letter-publisher.ts';
import type { LinkEnd } from '../../../../shared/adapters/kafka/kafkajs-link.ts';
import type { SentRecord, Written } from '../../../../shared/adapters/kafka/kafkajs-producer-connection.ts';

const LETTER = {
  id: 'c/g/orders-3@1042/17',
  origin: { topic: 'orders', partition: 3, offset: 1_042 },
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [{ name: 'x-stage', value: Buffer.from('handler') }],
  timestamp: 17,
};

const done = (stampedOnAppend: boolean): LinkEnd<Written> => ({ type: 'done', value: { stampedOnAppend } });

function publisherThat(...ends: LinkEnd<Written>[]) {
  const sent: SentRecord[] = [];
  const warnings: string[] = [];
  const publisher = kafkaJsDeadLetterPublisher(
    'orders-dead-letters',
    {
      send: async (records) => {
        sent.push(...records);
        return ends.shift() ?? done(true);
      },
      disconnect: async () => undefined,
    },
    { warn: (text, fields) => warnings.push(`${text} ${JSON.stringify(fields)}`) },
  );
  return { publisher, sent, warnings };
}

const failed = (type: 'unreachable' | 'transient' | 'tooLarge' | 'refused', reason: string): LinkEnd<Written> => ({
  type: 'failed',
  failure: { type, reason, cause: new Error(reason) },
});

describe('a letter', () => {
  test('goes to its own partition number with its own timestamp', async () => {
    const { publisher, sent } = publisherThat();

    await publisher.publish(LETTER, 1_000);

    expect(sent).toEqual([
      {
        topic: 'orders-dead-letters',
        partition: 3,
        timestamp: 17,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: [{ name: 'x-stage', value: Buffer.from('handler') }],
      },
    ]);
  });

  test('from the future goes without its timestamp where the topic refuses that', async () => {
    const { publisher, sent } = publisherThat(failed('refused', 'INVALID_TIMESTAMP'));

    await publisher.publish(LETTER, 1_000);

    expect(sent.map(({ timestamp }) => timestamp)).toEqual([17, undefined]);
  });

  test('says once that the topic keeps the time of its record', async () => {
    const { publisher, warnings } = publisherThat(done(false), done(false));

    await publisher.publish(LETTER, 1_000);
    await publisher.publish(LETTER, 1_000);

    expect(warnings).toEqual([
      'the dead-letter topic keeps the time of each record, so that the dead letter of an old record can expire at once. Set `message.timestamp.type=LogAppendTime` on the topic {"deadLetterTopic":"orders-dead-letters"}',
    ]);
  });

  test('says nothing of a topic that stamps on append', async () => {
    const { publisher, warnings } = publisherThat(done(true));

    await publisher.publish(LETTER, 1_000);

    expect(warnings).toEqual([]);
  });

  test.each<[string, LinkEnd<Written>, string, string]>([
    [
      'refused',
      failed('tooLarge', 'MESSAGE_TOO_LARGE'),
      'DEAD_LETTER_REFUSED',
      'was not acknowledged: MESSAGE_TOO_LARGE. ',
    ],
    [
      'without a topic',
      failed('transient', 'UNKNOWN_TOPIC_OR_PARTITION'),
      'DEAD_LETTER_REFUSED',
      'was not acknowledged: UNKNOWN_TOPIC_OR_PARTITION. ',
    ],
    ['that reaches nobody', failed('unreachable', 'gone'), 'BROKER_UNREACHABLE', 'was not acknowledged: gone. '],
    ['without an answer', { type: 'late', failure: undefined }, 'BROKER_UNREACHABLE', 'was not acknowledged in time. '],
  ])('%s is an error that says what, where, how large and why', async (_, end, code, why) => {
    const { publisher } = publisherThat(end);

    await expect(publisher.publish(LETTER, 1_000)).rejects.toThrow(
      `${code}: the letter of orders-3@1042 (107 bytes, topic orders-dead-letters, partition 3) ${why}`,
    );
  });
});
