import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadedTracer } from '../../../../shared/adapters/telemetry/loaded-tracer.ts';
import { openTelemetryTracer } from '../../../../shared/adapters/telemetry/opentelemetry-tracer.ts';
import { DeliveredRecord } from '../../../../shared/record/delivered-record.ts';

const exporter = new InMemorySpanExporter();
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const record = new DeliveredRecord({
  topic: 'orders',
  partition: 3,
  offset: 1_042,
  timestamp: 0,
  headers: [{ traceparent: [...Buffer.from(traceparent)] }],
});

beforeEach(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => {
  exporter.reset();
  trace.disable();
  context.disable();
});

test('a record is a consumer span, linked to its producer, with the messaging attributes', async () => {
  await openTelemetryTracer().trace([record], { group: 'shop-orders', attempt: 2 }, async () => undefined);

  const [span] = exporter.getFinishedSpans();
  expect(span).toMatchObject({
    name: 'process orders',
    kind: 4,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 1_042,
      'messaging.consumer.group.name': 'shop-orders',
      'lockstep.attempt': 2,
    },
  });
  expect(span?.links[0]?.context).toMatchObject({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
  });
});

test('a batch is one span, linked to each producer', () => {
  openTelemetryTracer().trace([record, record], { group: 'g', attempt: 1 }, () => undefined);

  const [span] = exporter.getFinishedSpans();
  expect(span?.links).toHaveLength(2);
  expect(span?.attributes['messaging.batch.message_count']).toBe(2);
});

test('spans of the handler are children of the record’s', async () => {
  await openTelemetryTracer().trace([record], { group: 'g', attempt: 1 }, async () => {
    await Promise.resolve();
    trace.getTracer('handler').startSpan('write order').end();
  });

  const [child, parent] = exporter.getFinishedSpans();
  expect(child?.name).toBe('write order');
  expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
});

test.each([
  [
    'thrown',
    () => {
      throw new RangeError('secret 17');
    },
  ],
  ['rejected', () => Promise.reject(new RangeError('secret 17'))],
])('an error that is %s first records the span with its name, without its text, and passes on', async (_, run) => {
  await expect(async () => openTelemetryTracer().trace([record], { group: 'g', attempt: 1 }, run)).rejects.toThrow(
    'secret 17',
  );

  const [span] = exporter.getFinishedSpans();
  expect(span?.status.code).toBe(2);
  expect(span?.attributes['error.type']).toBe('RangeError');
  expect(JSON.stringify([span?.attributes, span?.events, span?.status])).not.toContain('secret');
});

test('a header that is no traceparent links nothing', async () => {
  const plain = new DeliveredRecord({
    topic: 'orders',
    partition: 0,
    offset: 1,
    timestamp: 0,
    headers: [{ traceparent: [1, 2] }],
  });

  openTelemetryTracer().trace([plain], { group: 'g', attempt: 1 }, () => undefined);

  expect(exporter.getFinishedSpans()[0]?.links).toEqual([]);
});

test('nothing traces, and nothing is loaded, where no SDK is', async () => {
  const known = Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'));
  Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1'));

  expect(await loadedTracer()).toBeUndefined();

  Reflect.set(globalThis, Symbol.for('opentelemetry.js.api.1'), known);
  expect(await loadedTracer()).toBeDefined();
});
