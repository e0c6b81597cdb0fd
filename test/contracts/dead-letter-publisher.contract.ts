import { describe, expect } from 'vitest';
import { type ContractResults, clausesOf } from './contract-results.ts';
import { header, type LettersUnderTest, letterOf, noise, written } from './letters-under-test.ts';

/** What every publisher of dead letters keeps to. `open` is called once a clause, and gives an empty topic. */
export function deadLetterPublisherContract(
  adapter: string,
  open: () => Promise<LettersUnderTest>,
  results?: ContractResults,
): void {
  describe(`${adapter} as a publisher of dead letters`, () => {
    const clause = clausesOf('letters', adapter, results);

    clause('has the letter in the topic when it resolves: key, value, timestamp and headers as they were', async () => {
      const { publisher, inPartition, soon } = await open();
      await publisher.publish(letterOf(), soon());

      expect(await inPartition(1)).toEqual([
        {
          key: Buffer.from('customer-1'),
          value: Buffer.from('{"total":12}'),
          headers: [{ name: 'x-stage', value: Buffer.from('handler') }],
          timestamp: 1_795_255_200_000,
        },
      ]);
    });

    clause('keeps headers in order, with duplicates between others, numbers for names, and any bytes', async () => {
      const { publisher, inPartition, soon } = await open();
      const headers = [
        header('b', '1'),
        header('a', '2'),
        header('b', '3'),
        header('7', '4'),
        header('b', '3'),
        header('__proto__', '5'),
        header('größe', ''),
        { name: '', value: Buffer.from([0x00, 0xff, 0xc3]) },
      ];
      await publisher.publish(letterOf({ headers }), soon());

      const [letter] = await inPartition(1);
      expect(letter?.headers).toEqual(headers);
    });

    clause('takes letters without headers', async () => {
      const { publisher, inPartition, soon } = await open();
      await publisher.publish(letterOf({ headers: [] }), soon());

      const [letter] = await inPartition(1);
      expect(letter?.headers).toEqual([]);
    });

    clause('tells no key and no value from empty ones', async () => {
      const { publisher, inPartition, soon } = await open();
      await publisher.publish(letterOf({ key: null, value: null }), soon());
      await publisher.publish(letterOf({ key: Buffer.alloc(0), value: Buffer.alloc(0) }), soon());

      const letters = await inPartition(1);
      expect(letters.map(({ key, value }) => [key, value])).toEqual([
        [null, null],
        [Buffer.alloc(0), Buffer.alloc(0)],
      ]);
    });

    clause('writes to the partition with the number of the record’s own', async () => {
      const { publisher, inPartition, soon } = await open();
      for (const partition of [2, 0]) {
        await publisher.publish(letterOf({ origin: { topic: 'orders', partition, offset: 7 } }), soon());
      }

      expect(await inPartition(0)).toHaveLength(1);
      expect(await inPartition(1)).toHaveLength(0);
      expect(await inPartition(2)).toHaveLength(1);
    });

    clause('keeps letters of one partition together and in order where the topic has fewer partitions', async () => {
      const { publisher, inPartition, soon } = await open();
      // Of different keys: what was in one partition stays in one.
      const letters = ['a', 'b', 'c', 'd'].map((key, offset) =>
        letterOf({ key: Buffer.from(key), origin: { topic: 'orders', partition: 11, offset } }),
      );
      for (const letter of letters) await publisher.publish(letter, soon());

      expect(await inPartition(2)).toEqual(letters.map(written));
    });

    clause('has every letter of many that are published at once', async () => {
      const { publisher, inPartition, soon } = await open();
      const keys = Array.from({ length: 30 }, (_, index) => `key-${index}`);
      await Promise.all(keys.map((key) => publisher.publish(letterOf({ key: Buffer.from(key) }), soon())));

      const letters = await inPartition(1);
      expect(letters.map(({ key }) => key?.toString()).sort()).toEqual(keys.sort());
    });

    clause('writes a letter again that is published again: copies carry one id', async () => {
      const { publisher, inPartition, soon } = await open();
      const letter = letterOf({ headers: [header('x-dead-letter-id', 'c1/g/orders-1@7/1')] });
      await publisher.publish(letter, soon());
      await publisher.publish(letter, soon());

      expect(await inPartition(1)).toEqual([written(letter), written(letter)]);
    });

    clause('takes a letter just below the largest size of the topic, whole', async () => {
      const { publisher, inPartition, soon } = await open();
      const letter = letterOf({ key: null, headers: [], value: noise(99_900) });
      await publisher.publish(letter, soon());

      expect(await inPartition(1)).toEqual([written(letter)]);
    });

    clause('refuses a larger one with what, where and how large, writes nothing of it, and goes on', async () => {
      const { publisher, inPartition, soon } = await open();
      const refusal = publisher.publish(letterOf({ key: null, headers: [], value: noise(100_000) }), soon());

      await expect(refusal).rejects.toMatchObject({
        code: 'DEAD_LETTER_REFUSED',
        message: expect.stringMatching(/^DEAD_LETTER_REFUSED: the letter of orders-1@7 .*MESSAGE_TOO_LARGE/),
      });
      await publisher.publish(letterOf(), soon());
      expect(await inPartition(1)).toEqual([written(letterOf())]);
    });

    clause('publishes again after it was disconnected, and is disconnected as often as one likes', async () => {
      const { publisher, inPartition, soon } = await open();
      await publisher.disconnect();
      await publisher.publish(letterOf(), soon());
      await publisher.disconnect();
      await publisher.disconnect();
      await publisher.publish(letterOf(), soon());

      expect(await inPartition(1)).toHaveLength(2);
    });
  });
}
