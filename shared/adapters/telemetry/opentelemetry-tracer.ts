import { context, type Link, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Tracer } from '../../ports/tracer.ts';
import type { DeliveredRecord } from '../../record/delivered-record.ts';
import { partitionName } from '../../record/item-identifier.ts';

/** `00-<trace id>-<span id>-<flags>`. https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/**
 * Spans through the API of OpenTelemetry, with the attributes of its messaging conventions. The span is linked to the
 * producer's span and is not its child: a record may be handled days later, and more than once.
 * https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
 */
export function openTelemetryTracer(): Tracer {
  return {
    trace(records, { group, attempt }, run) {
      const [first] = records;
      if (first === undefined) return run();
      const { topic, partition, kafkaOffset: offset } = first;
      // Asked for with each span: the SDK may be set up later, by another copy of the API than the one that the package brings.
      const span = trace.getTracer('lockstep').startSpan(`process ${topic}`, {
        kind: SpanKind.CONSUMER,
        links: records.flatMap(producerOf),
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.destination.name': topic,
          'messaging.destination.partition.id': String(partition),
          'messaging.kafka.offset': offset,
          'messaging.consumer.group.name': group,
          'lockstep.attempt': attempt,
          ...(records.length > 1 && { 'messaging.batch.message_count': records.length }),
        },
      });
      return ending(span, () => context.with(trace.setSpan(context.active(), span), run));
    },
  };
}

/** The span that produced the record, as its `traceparent` names it. */
function producerOf(record: DeliveredRecord): Link[] {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(record.headers.text('traceparent') ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return [];
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return [{ context: spanContext, attributes: { 'messaging.destination.name': partitionName(record) } }];
}

function ending<T>(span: Span, run: () => T): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    failed(span, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    span.end();
    return result;
  }
  result.then(
    () => span.end(),
    (error: unknown) => failed(span, error),
  );
  return result;
}

/** Only the error's name: its text may be confidential, and is not redacted here. */
function failed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
  span.end();
}
