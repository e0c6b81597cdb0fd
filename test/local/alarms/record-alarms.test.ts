import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched('Records');
});
afterAll(() => watched?.stop());

test('dead-letters, and partition-halted by the flood breaker: records that are refused, until they no longer are', async () => {
  watched.switchboard.set('bad', 422);
  await watched.send(0, Array(7).fill('bad'));

  await watched.rings('dead-letters', 'partition-halted');
  watched.switchboard.set('bad', 200);

  await watched.isOver('dead-letters', 'partition-halted');
  await watched.committed(0, 7);
});

test('blocked-record, lag-time: a record that fails, and what waits behind it', async () => {
  watched.switchboard.set('stuck', 503);
  await watched.send(1, ['stuck', ...Array(150).fill('behind')]);

  await watched.rings('blocked-record', 'lag-time');
  watched.switchboard.set('stuck', 200);

  await watched.isOver('blocked-record', 'lag-time');
  await watched.committed(1, 151);
});

test('function-errors: a record that kills the process', async () => {
  watched.switchboard.set('killer', 599);
  await watched.send(2, ['killer']);

  await watched.rings('function-errors');
  watched.switchboard.set('killer', 200);

  await watched.isOver('function-errors');
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Records);
});

test('the suites together provoke every alarm that a consumer without relay has', async () => {
  const deployed = Object.keys(await watched.states());

  expect([...new Set(Object.values(PROVOKED).flat())].sort()).toEqual(deployed.sort());
  expect(deployed).toHaveLength(11);
});
