import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched('Keys');
});
afterAll(() => watched?.stop());

test('partition-halted: more records wait for another try than the ledger item has room for', async () => {
  watched.switchboard.set('stuck', 503);
  await watched.send(0, Array(260).fill('stuck'), (index) => `key-${index}`);

  await watched.rings('partition-halted');
  watched.switchboard.set('stuck', 200);

  await watched.isOver('partition-halted');
  await watched.committed(0, 260);
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Keys);
});
