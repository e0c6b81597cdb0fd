import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { commitStartingOffsets } from '../../../../infra/local/event-source/starting-offsets.ts';
import { fakeGroup } from './a-group.ts';

const { KafkaJSProtocolError } = kafkajs;

/** Of a topic whose one partition has a leader from the second question on. */
function anAdmin(asked: string[]) {
  return {
    fetchOffsets: async ({ topics }) => [
      // Nothing was committed for the topic `added`.
      { topic: 'orders', partitions: [{ partition: 0, offset: topics?.[0] === 'added' ? '-1' : '7', metadata: null }] },
    ],
    fetchTopicOffsets: async () => {
      asked.push('topic offsets');
      if (asked.length === 1) throw new KafkaJSProtocolError({ ...NOT_THE_LEADER });
      return [{ partition: 0, offset: '9', high: '9', low: '0' }];
    },
  } as Partial<Admin> as Admin;
}

const NOT_THE_LEADER = {
  type: 'NOT_LEADER_FOR_PARTITION',
  code: 6,
  retriable: true,
  name: '',
  message: 'not the leader',
};

test('waits for the leaders of a topic that was made a moment ago', async () => {
  const asked: string[] = [];
  const none = {} as Kafka;

  await commitStartingOffsets(none, anAdmin(asked), {
    topic: 'orders',
    groupId: 'billing',
    position: { type: 'TRIM_HORIZON' },
  });

  expect(asked).toHaveLength(2);
});

test('fails where its consumer crashes before it is in the group, instead of waiting for ever', async () => {
  const { kafka, made } = fakeGroup('added');
  const committing = commitStartingOffsets(kafka, anAdmin(['asked before']), {
    topic: 'added',
    groupId: 'billing',
    position: { type: 'TRIM_HORIZON' },
  });
  await vi.waitFor(() => expect(made).toHaveLength(1));
  const [consumer] = made;
  if (consumer === undefined) return expect.fail('a consumer was made');
  consumer.onRun = () => consumer.crash(new Error('the coordinator is gone'));
  consumer.connected.resolve();

  await expect(committing).rejects.toThrow('the coordinator is gone');
});
