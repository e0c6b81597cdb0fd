import { expect, test, vi } from 'vitest';
import { connect } from '../../shared/connect.ts';
import { ENVIRONMENT } from '../../shared/environment.ts';

const letter = {
  id: 'l',
  origin: { topic: 'orders', partition: 0, offset: 1 },
  key: null,
  value: null,
  headers: [],
  timestamp: 1,
};

test('code that could not be loaded is asked for again, and its absence ends no invocation', async () => {
  for (const name of ['ledgerTable', 'consumerGroup', 'deadLetterTopic', 'fallbackQueueUrl'] as const)
    vi.stubEnv(ENVIRONMENT[name], name);
  const published: string[] = [];
  const connectKafka = vi
    .fn()
    .mockImplementationOnce(() => {
      throw new Error('EMFILE: too many open files');
    })
    .mockImplementation(() => ({
      letters: { publish: async ({ id }: typeof letter) => void published.push(id), disconnect: async () => undefined },
    }));
  vi.doMock('../../shared/connect-kafka.ts', () => ({ connectKafka }));
  const { letters } = (await connect()).ports;

  await expect(letters.publish(letter, 1)).rejects.toThrow('EMFILE');
  await expect(letters.disconnect()).resolves.toBeUndefined();
  await letters.publish(letter, 1);

  expect(published).toEqual(['l']);
});
