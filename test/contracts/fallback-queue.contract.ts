import { describe, expect } from 'vitest';
import type { FallbackEntry, FallbackQueue } from '../../shared/ports/fallback-queue.ts';
import { type ContractResults, clausesOf } from './contract-results.ts';
import { header, letterOf, noise } from './letters-under-test.ts';

/** An empty queue, and what the relay would find in it. Largest entry: 1 MiB. */
export interface FallbackUnderTest {
  readonly queue: FallbackQueue;
  /** Takes everything that the queue holds, in any order. */
  takeAll(): Promise<readonly FallbackEntry[]>;
}

/** What every fallback queue keeps to. `open` is called once a clause, and gives an empty queue. */
export function fallbackQueueContract(
  adapter: string,
  open: () => Promise<FallbackUnderTest>,
  results?: ContractResults,
): void {
  describe(`${adapter} as a fallback queue`, () => {
    const clause = clausesOf('fallback', adapter, results);

    clause('gives a letter back as it was sent', async () => {
      const { queue, takeAll } = await open();
      const letter = letterOf({
        key: Buffer.from([0, 255, 128]),
        value: noise(1_000),
        headers: [
          header('b', '1'),
          header('a', '2'),
          header('b', '3'),
          { name: 'bytes', value: Buffer.from([195, 40]) },
        ],
      });
      await queue.send({ type: 'letter', letter });

      expect(await takeAll()).toEqual([{ type: 'letter', letter }]);
    });

    clause('tells no key and no value from empty ones', async () => {
      const { queue, takeAll } = await open();
      await queue.send({ type: 'letter', letter: letterOf({ key: null, value: null }) });
      expect(await takeAll()).toMatchObject([{ letter: { key: null, value: null } }]);

      await queue.send({ type: 'letter', letter: letterOf({ key: Buffer.alloc(0), value: Buffer.alloc(0) }) });
      expect(await takeAll()).toMatchObject([{ letter: { key: Buffer.alloc(0), value: Buffer.alloc(0) } }]);
    });

    clause('takes header names of any characters, also those that SQS refuses', async () => {
      const { queue, takeAll } = await open();
      const letter = letterOf({ headers: [header('\u0000\u0008 "\\ \u{1f600} \uffff\ufffe größe', '\u0000')] });
      await queue.send({ type: 'letter', letter });

      expect(await takeAll()).toEqual([{ type: 'letter', letter }]);
    });

    clause('gives abandoned ranges back as they were sent', async () => {
      const { queue, takeAll } = await open();
      const entry: FallbackEntry = {
        type: 'abandoned',
        partition: { cluster: 'c1', group: 'orders-consumer', topic: 'orders', partition: 3 },
        offsets: [
          { from: 1_042, to: 1_141 },
          { from: 1_143, to: 1_143 },
          { from: 9_007_199_254_740_000, to: 9_007_199_254_740_991 },
        ],
      };
      await queue.send(entry);

      expect(await takeAll()).toEqual([entry]);
    });

    clause('takes a letter with 750 KB of value', async () => {
      const { queue, takeAll } = await open();
      const letter = letterOf({ value: noise(750_000) });
      await queue.send({ type: 'letter', letter });

      expect(await takeAll()).toEqual([{ type: 'letter', letter }]);
    });

    clause('refuses an entry of more than 1 MiB, keeps nothing of it, and goes on', async () => {
      const { queue, takeAll } = await open();
      const refusal = queue.send({ type: 'letter', letter: letterOf({ value: noise(790_000) }) });

      await expect(refusal).rejects.toMatchObject({ code: 'FALLBACK_REFUSED' });
      await queue.send({ type: 'letter', letter: letterOf() });
      expect(await takeAll()).toEqual([{ type: 'letter', letter: letterOf() }]);
    });
  });
}
