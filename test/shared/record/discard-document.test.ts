import { expect, test } from 'vitest';
import { parseDiscardDocument } from '../../../shared/record/discard-document.ts';

const MSK = 'arn:aws:kafka:us-east-1:123456789012:cluster/main/uuid-1';

test('reads what a queue is documentOf: ranges by partition', () => {
  const document = {
    requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 1 },
    KafkaBatchInfo: {
      batchSize: 500,
      eventSourceArn: MSK,
      recordsInfo: {
        'my-topic-0': { firstRecordOffset: '5', lastRecordOffset: '9' },
        'my-topic-12': { firstRecordOffset: 7, lastRecordOffset: 7 },
      },
    },
  };

  expect(parseDiscardDocument(document)).toEqual({
    condition: 'RetryAttemptsExhausted',
    eventSourceArn: MSK,
    ranges: [
      { partition: { topic: 'my-topic', partition: 0 }, range: { from: 5, to: 9 } },
      { partition: { topic: 'my-topic', partition: 12 }, range: { from: 7, to: 7 } },
    ],
  });
});

test('reads the document of a topic, with its other names: one record with its event behind it', () => {
  const document = {
    requestContext: { condition: 'RetriesExhausted' },
    KafkaBatchInfo: { recordInfo: { offset: '42' } },
    payload: { records: { 'my-topic-3': [{}] } },
  };

  expect(parseDiscardDocument(document)).toEqual({
    condition: 'RetriesExhausted',
    eventSourceArn: undefined,
    ranges: [{ partition: { topic: 'my-topic', partition: 3 }, range: { from: 42, to: 42 } }],
  });
});

test('reads a document without an ARN, or with one that is no text', () => {
  const document = {
    requestContext: { condition: 'RetriesExhausted' },
    KafkaBatchInfo: { eventSourceArn: 7, recordInfo: { offset: 0 } },
    payload: { records: { 'my-topic-3': [{}] } },
  };

  expect(parseDiscardDocument(document)).toMatchObject({
    eventSourceArn: undefined,
    ranges: [{ range: { from: 0, to: 0 } }],
  });
});

/** A document whose batch is told as `info`, with `payload` behind it. */
const documentOf = (info: object, payload?: unknown) => ({
  requestContext: { condition: 'x' },
  KafkaBatchInfo: info,
  payload,
});

test.each([
  ['a text', 'expected the document to be an object'],
  [{}, 'expected `requestContext` to be an object'],
  [documentOf({ recordsInfo: 7 }), 'expected `recordsInfo` to be an object'],
  [documentOf({ recordsInfo: { 'a-0': null } }), 'expected `recordsInfo` of "a-0" to be an object'],
  [documentOf({}), 'expected `recordInfo` to be an object'],
  [documentOf({ recordInfo: { offset: 1 } }), 'expected `payload` to be an object'],
  [documentOf({ recordInfo: { offset: 1 } }, {}), 'expected `payload.records` to be an object'],
  [documentOf({ recordInfo: { offset: 1 } }, { records: {} }), 'expected a partition such as orders-3, got ""'],
  [documentOf({ recordInfo: { offset: true } }), 'expected an offset, got true'],
  [documentOf({ recordInfo: { offset: null } }), 'expected an offset, got null'],
  [documentOf({ recordInfo: {} }), 'expected an offset, got nothing'],
  [documentOf({ recordInfo: { offset: {} } }), 'expected an offset, got an object'],
  [documentOf({ recordInfo: { offset: ['1'] } }), 'expected an offset, got an array'],
  [documentOf({ recordInfo: { offset: 'x'.repeat(200) } }), `expected an offset, got "${'x'.repeat(80)}"`],
  [{ requestContext: {} }, 'expected `requestContext.condition` to be a text'],
  [{ requestContext: { condition: 'x' } }, 'expected `KafkaBatchInfo` to be an object'],
  [
    { requestContext: { condition: 'x' }, KafkaBatchInfo: { recordsInfo: { 'a-0': { firstRecordOffset: '-1' } } } },
    'expected an offset, got "-1"',
  ],
  [
    { requestContext: { condition: 'x' }, KafkaBatchInfo: { recordsInfo: { a: {} } } },
    'expected a partition such as orders-3, got "a"',
  ],
])('refuses %j and says why', (document, why) => {
  expect(() => parseDiscardDocument(document)).toThrow(why);
});
