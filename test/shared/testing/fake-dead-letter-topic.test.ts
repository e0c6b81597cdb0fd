import { expect, test } from 'vitest';
import type { DeadLetter } from '../../../shared/ports/dead-letter-publisher.ts';
import { fakeDeadLetterTopic } from '../../../shared/testing/fake-dead-letter-topic.ts';
import { deadLetterPublisherContract } from '../../contracts/dead-letter-publisher.contract.ts';
import { LETTER_TIME, letterOf, MAX_BYTES, PARTITIONS, written } from '../../contracts/letters-under-test.ts';

deadLetterPublisherContract('fake', async () => {
  const topic = fakeDeadLetterTopic({ partitions: PARTITIONS, maxBytes: MAX_BYTES });
  return {
    publisher: topic,
    inPartition: async (partition) => topic.inPartition(partition).map(written),
    soon: () => LETTER_TIME,
  };
});

test('writes at the moment of the call, before anything is awaited', () => {
  const topic = fakeDeadLetterTopic();
  const letter = letterOf();

  void topic.publish(letter, LETTER_TIME);

  expect(topic.letters).toEqual([letter]);
});

test('rejects and writes nothing where the fault says refused', async () => {
  const topic = fakeDeadLetterTopic({ fault: () => 'refused' });

  await expect(topic.publish(letterOf(), LETTER_TIME)).rejects.toMatchObject({ code: 'DEAD_LETTER_REFUSED' });
  expect(topic.letters).toEqual([]);
});

test('rejects although it has written where the fault says unanswered', async () => {
  const topic = fakeDeadLetterTopic({ fault: () => 'unanswered' });

  await expect(topic.publish(letterOf(), LETTER_TIME)).rejects.toMatchObject({ code: 'DEAD_LETTER_REFUSED' });
  expect(topic.letters).toEqual([letterOf()]);
});

test('asks for faults letter by letter', async () => {
  const topic = fakeDeadLetterTopic({ fault: ({ origin }) => (origin.offset === 7 ? 'refused' : undefined) });
  const other = letterOf({ origin: { topic: 'orders', partition: 1, offset: 8 } });

  await expect(topic.publish(letterOf(), LETTER_TIME)).rejects.toThrow('orders-1@7');
  await topic.publish(other, LETTER_TIME);

  expect(topic.letters).toEqual([other]);
});

test('tells of each letter that is written, and of its partition', async () => {
  const written: [DeadLetter, number][] = [];
  const topic = fakeDeadLetterTopic({
    partitions: 3,
    onLetter: (letter, partition) => written.push([letter, partition]),
  });
  const letter = letterOf({ origin: { topic: 'orders', partition: 5, offset: 7 } });

  await topic.publish(letter, LETTER_TIME);

  expect(written).toEqual([[letter, 2]]);
});
