import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVOKED, startWatched, type Watched } from './watched.ts';

let watched: Watched;

beforeAll(async () => {
  watched = await startWatched('Records');
});
afterAll(() => watched?.stop());

test('dead-letters, flood-breaker: records that are refused, until they no longer are', async () => {
  watched.switchboard.set('bad', 422);
  await watched.send(0, Array(7).fill('bad'));

  await watched.rings('dead-letters', 'flood-breaker');
  watched.switchboard.set('bad', 200);

  await watched.isOver('dead-letters', 'flood-breaker');
  await watched.committed(0, 7);
});

test('blocked-record, lag-records, lag-time: a record that fails, and what waits behind it', async () => {
  watched.switchboard.set('stuck', 503);
  await watched.send(1, ['stuck', ...Array(150).fill('behind')]);

  await watched.rings('blocked-record', 'lag-records', 'lag-time');
  watched.switchboard.set('stuck', 200);

  await watched.isOver('blocked-record', 'lag-records', 'lag-time');
  await watched.committed(1, 151);
});

test('function-errors: a record that kills the process', async () => {
  watched.switchboard.set('killer', 599);
  await watched.send(2, ['killer']);

  await watched.rings('function-errors');
  watched.switchboard.set('killer', 200);

  await watched.isOver('function-errors');
});

test('duration: a handler that takes long', async () => {
  watched.switchboard.set('slow', 200, 6_000);
  await watched.send(3, ['slow']);

  await watched.rings('duration');

  await watched.isOver('duration');
});

test('throttles: a function without concurrency', async () => {
  const { lambda, consumer } = watched;
  const FunctionName = consumer.function.functionName;
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await watched.send(3, ['throttled']);

  await watched.rings('throttles');
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));

  await watched.isOver('throttles');
  await watched.asked('throttled');
});

test('each alarm of this suite was seen to ring and to be over', () => {
  expect([...watched.wereOver].sort()).toEqual(PROVOKED.Records);
});

test('the suites together provoke every alarm that a consumer without relay has', async () => {
  const deployed = Object.keys(await watched.states());

  expect(Object.values(PROVOKED).flat().sort()).toEqual(deployed.sort());
  expect(deployed).toHaveLength(21);
});
