import { expect, test } from 'vitest';
import { gatheringRecordProducer } from '../../../../shared/adapters/kafka/gathering-record-producer.ts';
import { LockstepError } from '../../../../shared/errors.ts';
import type { OutgoingRecord } from '../../../../shared/ports/record-producer.ts';

const outgoing = (value: string): OutgoingRecord => ({
  topic: 'next',
  key: null,
  value: Buffer.from(value),
  headers: [],
});

/** A broker whose answers come when told to, and that refuses `large`. */
function slowBroker() {
  const sends: string[] = [];
  const answers: (() => void)[] = [];
  const producer = gatheringRecordProducer({
    produce: (records) =>
      new Promise((resolve, reject) => {
        const values = records.map(({ value }) => String(value));
        sends.push(values.join(' '));
        answers.push(() => {
          if (values.includes('large')) reject(new LockstepError('PRODUCE_FAILED', 'MESSAGE_TOO_LARGE'));
          else if (values.includes('unsent')) reject(new LockstepError('BROKER_UNREACHABLE', 'no broker'));
          else resolve();
        });
      }),
  });
  const produce = (value: string) =>
    producer.produce([outgoing(value)], 1_000).then(
      () => `${value} acknowledged`,
      (error: LockstepError) => `${value} ${error.code}`,
    );
  const answerAll = async () => {
    for (let answer = answers.shift(); answer !== undefined; answer = answers.shift()) {
      answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { sends, produce, answerAll };
}

test('sends together what is handed in while a send is under way', async () => {
  const { sends, produce, answerAll } = slowBroker();

  const all = ['a', 'b', 'c'].map(produce);
  await answerAll();

  expect(await Promise.all(all)).toEqual(['a acknowledged', 'b acknowledged', 'c acknowledged']);
  expect(sends).toEqual(['a', 'b c']);
  const later = produce('d');
  await answerAll();
  expect(await later).toBe('d acknowledged');
});

test('sends one by one what was refused together: each is told what concerns it', async () => {
  const { sends, produce, answerAll } = slowBroker();

  const all = ['a', 'b', 'large', 'c'].map(produce);
  await answerAll();

  expect(await Promise.all(all)).toEqual([
    'a acknowledged',
    'b acknowledged',
    'large PRODUCE_FAILED',
    'c acknowledged',
  ]);
  expect(sends).toEqual(['a', 'b large c', 'b', 'large', 'c']);
});

test('tries nothing one by one while no broker is there', async () => {
  const { sends, produce, answerAll } = slowBroker();

  const all = ['a', 'b', 'unsent'].map(produce);
  await answerAll();

  expect(await Promise.all(all)).toEqual(['a acknowledged', 'b BROKER_UNREACHABLE', 'unsent BROKER_UNREACHABLE']);
  expect(sends).toEqual(['a', 'b unsent']);
});
