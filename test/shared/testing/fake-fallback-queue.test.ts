import { expect, test } from 'vitest';
import type { FallbackEntry } from '../../../shared/ports/fallback-queue.ts';
import { fakeFallbackQueue } from '../../../shared/testing/fake-fallback-queue.ts';
import { fallbackQueueContract } from '../../contracts/fallback-queue.contract.ts';
import { letterOf } from '../../contracts/letters-under-test.ts';

fallbackQueueContract('fake', async () => {
  const queue = fakeFallbackQueue({ maxBytes: 1_048_576 });
  return { queue, takeAll: async () => queue.take() };
});

const ENTRY: FallbackEntry = { type: 'letter', letter: letterOf() };

test('keeps an entry at the moment of the call, before anything is awaited', () => {
  const queue = fakeFallbackQueue();

  void queue.send(ENTRY);

  expect(queue.entries).toEqual([ENTRY]);
});

test('rejects and keeps nothing where the fault says refused', async () => {
  const queue = fakeFallbackQueue({ fault: () => 'refused' });

  await expect(queue.send(ENTRY)).rejects.toMatchObject({ code: 'FALLBACK_REFUSED' });
  expect(queue.entries).toEqual([]);
});

test('rejects although it has kept the entry where the fault says unanswered', async () => {
  const queue = fakeFallbackQueue({ fault: () => 'unanswered' });

  await expect(queue.send(ENTRY)).rejects.toMatchObject({ code: 'FALLBACK_REFUSED' });
  expect(queue.entries).toEqual([ENTRY]);
});

test('has entries taken in the order in which they were sent, as many as one asks for', async () => {
  const kept: FallbackEntry[] = [];
  const queue = fakeFallbackQueue({ onEntry: (entry) => kept.push(entry) });
  const second: FallbackEntry = { type: 'letter', letter: letterOf({ key: null }) };
  await queue.send(ENTRY);
  await queue.send(second);

  expect(queue.take(1)).toEqual([ENTRY]);
  expect(queue.entries).toEqual([second]);
  expect(kept).toEqual([ENTRY, second]);
});
