import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { encodeFallbackEntry } from '../../../shared/adapters/sqs/fallback-entry.ts';
import { textSignature } from '../../../shared/decide/signature.ts';
import { lockstepRelay, RENEW_AFTER_MS } from '../../../shared/relay/lockstep-relay.ts';
import { FAKE_SECRET } from '../../../shared/testing/fake-stack-secret.ts';
import { aRelay, PLACE, START } from './a-relay.ts';

function aFunction() {
  const relay = aRelay();
  const parked: [string, number][] = [];
  const renewed: string[] = [];
  const begin = () => undefined;
  const handler = lockstepRelay(async () => ({
    ports: relay.ports,
    policy: relay.policy,
    telemetry: { ...relay.ports.telemetry, begin, flush: begin },
    parking: {
      comeBackIn: async ({ messageId }, seconds) => void parked.push([messageId, seconds]),
      putAnew: async ({ messageId }) => void renewed.push(messageId),
    },
  }));
  const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 } as Context;
  const invoke = (event: SQSEvent | Record<string, unknown>) => relay.clock.runUntilSettled(handler(event, context));
  return { ...relay, parked, renewed, invoke };
}

function entry(messageId: string, body: string, { sentAt = START, receives = 1 } = {}): SQSRecord {
  const attributes = {
    SentTimestamp: String(sentAt),
    ApproximateReceiveCount: String(receives),
    SenderId: 'AROA:somebody',
  };
  return { messageId, body, attributes, receiptHandle: 'h', eventSourceARN: 'arn:aws:sqs:::q' } as SQSRecord;
}

const LOST = { type: 'abandoned', partition: PLACE, offsets: [{ from: 0, to: 39 }] } as const;
const LETTER = encodeFallbackEntry(
  {
    type: 'letter',
    letter: {
      id: 'c/billing/orders-3@5/1',
      origin: { ...PLACE, offset: 5 },
      key: null,
      value: null,
      headers: [],
      timestamp: 1,
    },
  },
  FAKE_SECRET,
);

/** What Lambda writes about offsets 0 to 39 of a partition. */
function discarded(partition: string, eventSourceArn?: string) {
  const recordsInfo = { [partition]: { firstRecordOffset: '0', lastRecordOffset: '39' } };
  return JSON.stringify({ requestContext: { condition: 'x' }, KafkaBatchInfo: { eventSourceArn, recordsInfo } });
}

const forged = (changes: object, text = encodeFallbackEntry(LOST, Buffer.alloc(32, 'a guess'))) =>
  JSON.stringify({ ...JSON.parse(text), ...changes });

test('an entry that cannot be placed is named and comes back, the others are done', async () => {
  const relay = aFunction();

  const answer = await relay.invoke({ Records: [entry('bad', 'rubbish', { receives: 3 }), entry('good', LETTER)] });

  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
  expect(relay.letters.letters.map(({ id }) => id)).toEqual(['c/billing/orders-3@5/1']);
  expect(relay.parked).toEqual([['bad', 40]]);
  expect(relay.counts.get('RelayEntriesWaiting')).toBe(1);
});

test('a letter that the topic still refuses stays in the queue', async () => {
  const relay = aFunction();
  relay.faults.push('refused');

  expect(await relay.invoke({ Records: [entry('m', LETTER)] })).toEqual({
    batchItemFailures: [{ itemIdentifier: 'm' }],
  });
});

const OLD = { sentAt: START - RENEW_AFTER_MS - 1 };
/** Written by a later version of Lockstep, with the secret of the stack. */
const OF_TOMORROW = '{"v":2,"type":"letters"}';

test.each([
  ['a letter that the topic refuses', LETTER],
  [
    'what a later version wrote',
    `${OF_TOMORROW.slice(0, -1)},"signature":"${textSignature(FAKE_SECRET, OF_TOMORROW)}"}`,
  ],
  ['what Lambda says of records that are still to come', discarded('orders-3')],
])('an old entry is sent to the queue again before SQS deletes it: %s', async (_, body) => {
  const relay = aFunction();
  relay.faults.push('refused');

  expect(await relay.invoke({ Records: [entry('old', body, OLD)] })).toEqual({ batchItemFailures: [] });

  expect(relay.renewed).toEqual(['old']);
});

test.each([
  ['what nobody of us wrote', 'rubbish'],
  ['a range that another secret signed', forged({})],
  ['a range that the ledger never left to the relay', encodeFallbackEntry(LOST, FAKE_SECRET)],
  ['what Lambda says of another topic', discarded('payroll-3')],
])('a foreign entry is deleted by SQS after its retention, and its sender is logged: %s', async (_, body) => {
  const relay = aFunction();
  const senders: unknown[] = [];
  relay.ports.telemetry.log.error = (__, fields) => void senders.push(fields?.['sender']);
  relay.log.put(PLACE, 5, { value: Buffer.from('untried') });
  relay.place({});

  expect(await relay.invoke({ Records: [entry('old', body, OLD)] })).toEqual({
    batchItemFailures: [{ itemIdentifier: 'old' }],
  });

  expect(relay.renewed).toEqual([]);
  expect(relay.letters.letters).toEqual([]);
  expect(senders).toEqual(['AROA:somebody']);
});

test('what Lambda says of discarded records becomes their letters', async () => {
  const relay = aFunction();
  relay.log.put(PLACE, 5, { value: Buffer.from('a') });
  relay.log.put(PLACE, 6, { value: Buffer.from('b') });
  relay.place({ settled: [{ from: 6, to: 6 }] });
  relay.log.commit(PLACE.group, PLACE, 7);
  const body = JSON.stringify({
    requestContext: { condition: 'MaximumPayloadSizeExceeded' },
    KafkaBatchInfo: { recordsInfo: { 'orders-3': { firstRecordOffset: '5', lastRecordOffset: '6' } } },
  });

  expect(await relay.invoke({ Records: [entry('m', body)] })).toEqual({ batchItemFailures: [] });

  expect(relay.letters.letters.map(({ origin }) => origin.offset)).toEqual([5]);
});

test.each([
  ['a range without a signature', forged({ signature: undefined }), 'RELAY_ENTRY_FOREIGN'],
  ['a range that another secret signed', forged({}), 'RELAY_ENTRY_FOREIGN'],
  [
    'a range of ours, made larger',
    forged({ offsets: '0+99' }, encodeFallbackEntry(LOST, FAKE_SECRET)),
    'RELAY_ENTRY_FOREIGN',
  ],
  [
    'a range of ours that the ledger never left to the relay',
    encodeFallbackEntry(LOST, FAKE_SECRET),
    'RELAY_ENTRY_NOT_DUE',
  ],
  ['a letter of ours with another value', LETTER.replace('"value":null', '"value":"ZXZpbA=="'), 'RELAY_ENTRY_FOREIGN'],
  ['what Lambda says of records that are still to come', discarded('orders-3'), 'RELAY_MUST_WAIT'],
  ['what Lambda says of another topic', discarded('payroll-3'), 'RELAY_ENTRY_FOREIGN'],
  [
    'what Lambda says of another cluster',
    discarded('orders-3', 'arn:aws:kafka:r:1:cluster/a/other'),
    'RELAY_ENTRY_FOREIGN',
  ],
])('%s dead-letters nothing and stays in the queue', async (_, body, why) => {
  const relay = aFunction();
  const errors: unknown[] = [];
  relay.ports.telemetry.log.error = (__, fields) => void errors.push(String(fields?.['error']));
  for (let offset = 0; offset < 40; offset++) relay.log.put(PLACE, offset, { value: Buffer.from('untried') });
  relay.place({});
  relay.log.commit(PLACE.group, PLACE, 20);

  expect(await relay.invoke({ Records: [entry('m', body)] })).toEqual({ batchItemFailures: [{ itemIdentifier: 'm' }] });

  expect(errors).toEqual([expect.stringContaining(why)]);
  expect(relay.letters.letters).toEqual([]);
  expect(relay.ledger.peek(PLACE)?.progress.settled).toEqual([]);
});

test('any other event is the schedule', async () => {
  const relay = aFunction();

  expect(await relay.invoke({ type: 'sweep' })).toEqual({ batchItemFailures: [] });

  expect(relay.counts.get('BlockedRecordAgeMs')).toBe(0);
});
