import { describe, expect, test } from 'vitest';
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

test('sends one by one what was refused together: each gets the error that concerns it', async () => {
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

describe('one handler passes on more than one batch may hold', () => {
  /** A broker whose topic takes batches of so many bytes; the sizes of what it took, and of what it refused. */
  function strictBroker(maxBytes: number) {
    const taken: number[] = [];
    const refused: number[] = [];
    const producer = gatheringRecordProducer({
      async produce(records) {
        const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
        if (bytes > maxBytes) {
          refused.push(records.length);
          throw new LockstepError('PRODUCE_FAILED', '2 records for next not acknowledged: MESSAGE_TOO_LARGE');
        }
        taken.push(records.length);
      },
    });
    return { taken, refused, producer };
  }
  const of = (count: number, bytes: number) => Array.from({ length: count }, () => outgoing('x'.repeat(bytes)));

  test.each([
    ['two large records', of(2, 600_000), [1, 1]],
    ['many small records', of(2_000, 1_000), [917, 917, 166]],
    ['what fits', of(5, 1_000), [5]],
    ['nothing', [], []],
  ])('%s are sent in as many requests as it takes', async (_, records, expected) => {
    const { taken, refused, producer } = strictBroker(1_048_588);

    await producer.produce(records, 1_000);

    expect({ taken, refused }).toEqual({ taken: expected, refused: [] });
  });

  test('to a topic that takes less than others: what is refused is halved until it fits', async () => {
    const { taken, producer } = strictBroker(3_000);

    await producer.produce(of(8, 1_000), 1_000);

    expect(taken).toEqual([2, 2, 2, 2]);
  });

  test('and a record that is too large alone is refused', async () => {
    const { producer } = strictBroker(1_048_588);

    await expect(producer.produce([outgoing('a'), ...of(1, 2_000_000)], 1_000)).rejects.toThrow('MESSAGE_TOO_LARGE');
  });
});
