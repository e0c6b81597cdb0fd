import { describe, expect, test } from 'vitest';
import type { Batch } from '../../../../infra/local/event-source/decide.ts';
import type { EncodedRecord } from '../../../../infra/local/event-source/encode-record.ts';
import { type EsmMetric, esmMetrics } from '../../../../infra/local/event-source/esm-metrics.ts';
import { envelopeOf } from '../../../../infra/local/event-source/event-json.ts';
import { emptyStats } from '../../../../infra/local/event-source/event-source-stats.ts';
import type { Invocation } from '../../../../infra/local/event-source/invoker.ts';
import { type RunBatchOptions, runBatch } from '../../../../infra/local/event-source/run-batch.ts';

const batch: Batch<EncodedRecord> = {
  id: 7,
  parts: [{ partition: 'orders-0', records: [{ offset: 1, timestamp: 0, bytes: 2, json: '{}', key: null }] }],
  recordCount: 1,
  bytes: 100,
  resent: false,
};

function optionsFor(invocation: Invocation, changes: Partial<RunBatchOptions> = {}): RunBatchOptions {
  return {
    functionArn: 'arn:aws:lambda:eu-west-1:0:function:orders',
    envelope: envelopeOf('arn', 'broker:9092'),
    invoker: { invoke: async () => invocation },
    metrics: esmMetrics({ put: () => {} }, 'uuid', []),
    stats: emptyStats(),
    onInvocation: () => {},
    deliverTwice: () => false,
    ...changes,
  };
}

describe('how an invocation ends', () => {
  test.each<[string, Invocation, object]>([
    ['no payload is success', { type: 'answered', payload: '' }, { type: 'answered', batchItemFailures: [] }],
    ['null is success', { type: 'answered', payload: 'null' }, { type: 'answered', batchItemFailures: [] }],
    ['text that is no JSON is malformed', { type: 'answered', payload: 'fine' }, { type: 'malformed' }],
    [
      'reported records are read',
      {
        type: 'answered',
        payload: '{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":1}}]}',
      },
      { type: 'answered', batchItemFailures: [{ partition: 'orders-0', offset: 1 }] },
    ],
    ['a crash is an error', { type: 'functionError', payload: '{}' }, { type: 'error' }],
    ['a throttle is no attempt', { type: 'notInvoked', reason: 'TooManyRequestsException' }, { type: 'notInvoked' }],
  ])('%s', async (_, invocation, outcome) => {
    expect(await runBatch(batch, optionsFor(invocation))).toMatchObject({ outcome });
  });

  test('keeps the request id for the destination', async () => {
    const options = optionsFor({ type: 'functionError', payload: '{}', requestId: 'r-1' });
    expect(await runBatch(batch, options)).toEqual({ outcome: { type: 'error' }, requestId: 'r-1' });
  });
});

test('metrics are put for the groups that are on, and for nothing else', () => {
  const put: EsmMetric[] = [];
  const metrics = esmMetrics({ put: (metric) => put.push(metric) }, 'uuid-1', ['ErrorCount']);
  metrics.count('InvokeErrorCount', 2);
  metrics.count('InvokeErrorCount', 1);
  metrics.count('CommitErrorCount', 0);
  metrics.count('PolledEventCount', 5);
  metrics.gauge('ProvisionedPollers', 1);
  metrics.flush(1_000);
  metrics.flush(2_000);

  const common = { namespace: 'AWS/Lambda', unit: 'Count', timestampMs: 1_000 };
  const dimensions = { EventSourceMappingUUID: 'uuid-1' };
  expect(put).toEqual([
    { ...common, name: 'InvokeErrorCount', value: 3, dimensions },
    { ...common, name: 'ProvisionedPollers', value: 1, dimensions },
  ]);
});
