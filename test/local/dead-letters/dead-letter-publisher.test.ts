import { afterAll, beforeAll, expect, test } from 'vitest';
import { kafkaJsDeadLetterPublisher } from '../../../shared/adapters/kafka/kafkajs-dead-letter-publisher.ts';
import { kafkaJsProducerConnection } from '../../../shared/adapters/kafka/kafkajs-producer-connection.ts';
import type { DeadLetterPublisher } from '../../../shared/ports/dead-letter-publisher.ts';
import { deadLetterPublisherContract } from '../../contracts/dead-letter-publisher.contract.ts';
import { letterOf, MAX_BYTES, noise, PARTITIONS, written } from '../../contracts/letters-under-test.ts';
import { type ABroker, aBroker } from './a-broker.ts';

let broker: ABroker;
const publishers: DeadLetterPublisher[] = [];

beforeAll(async () => {
  broker = await aBroker();
});

afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.disconnect()));
  await broker?.end();
});

async function open(settings: Readonly<Record<string, string>> = {}) {
  const topic = await broker.makeTopic(PARTITIONS, { 'max.message.bytes': String(MAX_BYTES), ...settings });
  const publisher = kafkaJsDeadLetterPublisher(topic, kafkaJsProducerConnection(broker.options));
  publishers.push(publisher);
  const inPartition = async (partition: number) => (await broker.readAll(topic, partition)).map(({ record }) => record);
  return { publisher, inPartition, soon: broker.soon };
}

deadLetterPublisherContract('kafkajs', open);

/** Of a batch with one record without key and headers, whose value takes three bytes for its length. */
const AROUND_THE_VALUE = 61 + 3 + 8;

test('takes a letter to the last byte of the largest size, and none beyond', async () => {
  const { publisher, inPartition, soon } = await open();
  const largest = letterOf({ key: null, headers: [], value: noise(MAX_BYTES - AROUND_THE_VALUE) });
  const larger = letterOf({ key: null, headers: [], value: noise(MAX_BYTES - AROUND_THE_VALUE + 1) });

  await publisher.publish(largest, soon());
  await expect(publisher.publish(larger, soon())).rejects.toThrow('MESSAGE_TOO_LARGE');

  expect(await inPartition(1)).toEqual([written(largest)]);
});

test('keeps a letter whose record was dated in the future, as wrong clocks do', async () => {
  // What a broker of 3.6 and later takes by default: an hour.
  const { publisher, inPartition, soon } = await open({ 'message.timestamp.after.max.ms': '3600000' });
  const before = Date.now();
  await publisher.publish(letterOf({ timestamp: before + 86_400_000 }), soon());

  const [letter] = await inPartition(1);
  expect(letter?.value).toEqual(letterOf().value);
  expect(letter?.timestamp).toBeGreaterThanOrEqual(before);
  expect(letter?.timestamp).toBeLessThan(before + 60_000);
});

test('names a topic that is not there', async () => {
  const publisher = kafkaJsDeadLetterPublisher('not-there', kafkaJsProducerConnection(broker.options));
  publishers.push(publisher);

  await expect(publisher.publish(letterOf(), broker.soon())).rejects.toMatchObject({
    code: 'DEAD_LETTER_REFUSED',
    message: expect.stringMatching(/orders-1@7 .*topic not-there, partition 1.*UNKNOWN_TOPIC_OR_PARTITION/),
  });
});

test('rejects at once where the time is up before it begins, and is none the worse for it', async () => {
  const { publisher, inPartition, soon } = await open();

  await expect(publisher.publish(letterOf(), Date.now() - 1)).rejects.toMatchObject({ retryable: true });
  await publisher.publish(letterOf(), soon());

  expect(await inPartition(1)).toEqual([written(letterOf())]);
});

// These two stop the broker: they stand last.
test('rejects while the broker is down, and publishes once it is up', async () => {
  const { publisher, inPartition, soon } = await open();
  await publisher.publish(letterOf(), soon());
  await broker.stopBroker('gracefully');

  await expect(publisher.publish(letterOf({ key: null }), Date.now() + 2_000)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringContaining('orders-1@7'),
  });

  await broker.startBroker();
  const second = letterOf({ value: null });
  await publisher.publish(second, soon());
  expect(await inPartition(1)).toEqual([written(letterOf()), written(second)]);
});

test('publishes over a connection whose broker was killed and came back', async () => {
  const { publisher, inPartition, soon } = await open();
  await publisher.publish(letterOf(), soon());
  await broker.stopBroker('killed');
  await broker.startBroker();

  const second = letterOf({ value: null });
  await publisher.publish(second, soon());

  expect(await inPartition(1)).toEqual([written(letterOf()), written(second)]);
});
