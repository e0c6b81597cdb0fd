import { expect, test } from 'vitest';
import { batchDocument, type Failure } from '../../../../infra/local/event-source/discard-document.ts';
import type { EncodedRecord } from '../../../../infra/local/event-source/encode-record.ts';
import { envelopeOf } from '../../../../infra/local/event-source/event-json.ts';

const eventSourceArn = 'arn:aws:kafka:eu-west-1:0:cluster/c/1';
const failure: Failure = {
  mapping: {
    uuid: 'uuid',
    functionArn: 'arn:aws:lambda:eu-west-1:0:function:orders',
    eventSourceArn,
    topic: 'orders',
    consumerGroupId: 'group',
    startingPosition: { type: 'TRIM_HORIZON' },
  },
  bootstrapServers: 'broker:9092',
  envelope: envelopeOf(eventSourceArn, 'broker:9092'),
  ended: { outcome: { type: 'error' }, requestId: 'r-1' },
  nowMs: 1_700_000_009_000,
};

const record = (offset: number): EncodedRecord => ({
  offset,
  timestamp: 1_700_000_000_000 + offset,
  bytes: 2,
  json: '{}',
  key: null,
});

test('a queue gets offsets and partitions, and nothing of their content', () => {
  const document = batchDocument(
    [
      { partition: 'orders-0', records: [record(1), record(2)], condition: 'RetryAttemptsExhausted', invokeCount: 3 },
      { partition: 'orders-1', records: [record(7)], condition: 'RetryAttemptsExhausted', invokeCount: 2 },
      { partition: 'orders-0', records: [record(4)], condition: 'RetryAttemptsExhausted', invokeCount: 1 },
    ],
    failure,
  );

  expect(document).toEqual({
    requestContext: {
      requestId: 'r-1',
      functionArn: 'arn:aws:lambda:eu-west-1:0:function:orders',
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '2023-11-14T22:13:29.000Z',
    KafkaBatchInfo: {
      batchSize: 4,
      eventSourceArn: 'arn:aws:kafka:eu-west-1:0:cluster/c/1',
      bootstrapServers: 'broker:9092',
      payloadSize: 167,
      recordsInfo: {
        'orders-0': {
          firstRecordOffset: '1',
          lastRecordOffset: '4',
          firstRecordTimestamp: '2023-11-14T22:13:20.001Z',
          lastRecordTimestamp: '2023-11-14T22:13:20.004Z',
        },
        'orders-1': {
          firstRecordOffset: '7',
          lastRecordOffset: '7',
          firstRecordTimestamp: '2023-11-14T22:13:20.007Z',
          lastRecordTimestamp: '2023-11-14T22:13:20.007Z',
        },
      },
    },
  });
});

test('records that were too large for any event were never given to the function', () => {
  const oversized = { partition: 'orders-0', records: [record(1)], invokeCount: 0 };
  const document = batchDocument([{ ...oversized, condition: 'MaximumPayloadSizeExceeded' }], {
    ...failure,
    ended: undefined,
  });

  expect(document).toMatchObject({
    requestContext: { condition: 'MaximumPayloadSizeExceeded', approximateInvokeCount: 0 },
    responseContext: null,
  });
});
