import { ConfigResourceTypes, logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startKafka } from '../../../infra/local/kafka.ts';
import { createTopics, makeTopics } from '../../../infra/local/topics.ts';
import { kafkaJsClient } from '../../../shared/adapters/kafka/kafkajs-client.ts';

test('a broker that was stopped or killed comes back on the same port with its data', async () => {
  const broker = await startKafka({ bootstrapServers: '', shortLived: true });
  onTestFinished(() => broker.stop());
  const admin = kafkaJsClient({ brokers: [broker.bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();
  await createTopics(admin, [{ topic: 'orders', numPartitions: 3 }]);

  await broker.stopBroker();
  await broker.startBroker();
  await broker.stopBroker('killed');
  await broker.startBroker();

  expect(await admin.listTopics()).toContain('orders');
});

test('a topic that nobody created is refused', async () => {
  const producer = kafkaJsClient({
    brokers: [inject('localCloud').bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
  }).producer({ allowAutoTopicCreation: false });
  onTestFinished(() => producer.disconnect());
  await producer.connect();

  await expect(producer.send({ topic: 'nobody-made-it', messages: [{ value: 'x' }] })).rejects.toThrow(
    'This server does not host this topic-partition',
  );
});

test('a record is kept however old it is: a retention check between two steps of a test would delete it', async () => {
  const { bootstrapServers } = inject('localCloud');
  await makeTopics(bootstrapServers, [{ topicName: 'kept', partitions: 1 }]);
  const admin = kafkaJsClient({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING }).admin();
  onTestFinished(() => admin.disconnect());
  await admin.connect();

  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: 'kept', configNames: ['retention.ms'] }],
  });

  expect(resources[0]?.configEntries).toMatchObject([{ configName: 'retention.ms', configValue: '-1' }]);
});

test('an existing broker that does not answer is named', async () => {
  await expect(startKafka({ bootstrapServers: '127.0.0.1:1' })).rejects.toThrow(
    'No Kafka broker answers at 127.0.0.1:1 (--kafka or KAFKA_BOOTSTRAP_SERVERS). Start it, or leave this out to have one started.',
  );
});
