import type { Admin, Kafka } from 'kafkajs';
import type { Batch, Discard, ResendReading } from './decide.ts';
import { createDispatcher, type Ended } from './dispatcher.ts';
import type { EncodedRecord } from './encode-record.ts';
import { esmMetrics, type MetricsPort } from './esm-metrics.ts';
import { envelopeOf } from './event-json.ts';
import { type EventSourceStats, emptyStats } from './event-source-stats.ts';
import type { FailureDestination } from './failure-destination.ts';
import { recordFilter } from './filter-pattern.ts';
import type { Invocation, Invoker } from './invoker.ts';
import { type Mapping, rulesOf } from './mapping.ts';
import { type Poller, startPoller } from './poller.ts';
import { runBatch } from './run-batch.ts';
import { commitStartingOffsets, committedOffsets } from './starting-offsets.ts';
import { topicReader } from './topic-reader.ts';

/** A poller runs up to 5 invocations at once. https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html */
const INVOCATIONS_PER_POLLER = 5;
/** Pollers in one event poller unit. https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html */
const POLLERS_PER_UNIT = 10;

export interface MappingSourceOptions {
  /** A client of its own for this mapping. Its errors go to the callback. */
  readonly kafka: (onError: () => void) => Kafka;
  readonly admin: Admin;
  readonly mapping: Mapping;
  readonly bootstrapServers: string;
  readonly invoker: Invoker;
  readonly metrics: MetricsPort;
  readonly destination: FailureDestination | undefined;
  readonly reading: ResendReading;
  readonly retryDelayMs: number;
  readonly onInvocation: (mapping: Mapping, invocation: Invocation) => void;
  readonly deliverTwice: (batch: Batch<EncodedRecord>) => boolean;
  /** Faults, one line each. */
  readonly log: (line: string) => void;
}

/** One mapping at work: its pollers and what they share. */
export interface MappingSource {
  readonly mapping: Mapping;
  /** Starts or stops all pollers; disabling waits for the batches in flight and commits them. */
  setEnabled(enabled: boolean): Promise<void>;
  addPoller(): Promise<void>;
  removePoller(how?: 'drained' | 'abruptly'): Promise<void>;
  pollers(): number;
  stats(): EventSourceStats;
  /** Measures lag and hands the metrics to the port. Nothing while the mapping is disabled. */
  flushMetrics(): Promise<void>;
  close(): Promise<void>;
}

/** @throws for a filter pattern that is not valid */
export function mappingSource(options: MappingSourceOptions): MappingSource {
  const { mapping, admin, bootstrapServers, destination, log } = options;
  const { topic, consumerGroupId: groupId } = mapping;
  const envelope = envelopeOf(mapping.eventSourceArn, bootstrapServers);
  const rules = rulesOf(mapping, { ...options, envelopeBytes: envelope.bytes });
  const filter = recordFilter(mapping.filters ?? []);
  const metrics = esmMetrics(options.metrics, mapping.uuid, mapping.metrics ?? []);
  const kafka = options.kafka(() => metrics.count('PollingErrorCount', 1));
  const stats = emptyStats();
  /** Also pollers that are still joining: stopping them stops them for good. */
  const pollers: Poller[] = [];
  /** Pollers that may still have batches in flight, also those that are leaving. */
  const alive = new Set<Poller>();
  let wanted = mapping.minimumPollers ?? 1;
  let isEnabled = false;
  let isClosed = false;

  const running = {
    functionArn: mapping.functionArn,
    envelope,
    invoker: options.invoker,
    metrics,
    stats,
    onInvocation: (invocation: Invocation) => options.onInvocation(mapping, invocation),
    deliverTwice: options.deliverTwice,
  };

  const giveUp = async (discards: readonly Discard<EncodedRecord>[], ended?: Ended): Promise<void> => {
    const records = discards.reduce((sum, discard) => sum + discard.records.length, 0);
    stats.discardedRecords += records;
    try {
      const failure = { mapping, bootstrapServers, envelope, ended, nowMs: Date.now() };
      await destination?.deliver(discards, failure);
      metrics.count(destination ? 'OnFailureDestinationDeliveredEventCount' : 'DroppedEventCount', records);
    } catch (error) {
      log(`${records} records of ${topic} did not reach the failure destination and are dropped: ${reasonOf(error)}`);
      metrics.count('OnFailureDestinationDeliveryErrorCount', 1);
      metrics.count('DroppedEventCount', records);
    }
  };

  const start = async (): Promise<void> => {
    if (isClosed) return;
    const poller = startPoller({
      kafka,
      topic,
      groupId,
      filter,
      metrics,
      log,
      reader: topicReader(bootstrapServers, topic),
      batchSize: rules.batchSize,
      committedOffsets: () => committedOffsets(admin, groupId, topic),
      onJoin: () => {
        stats.rebalances += 1;
      },
      dispatcher: (onChange) =>
        createDispatcher({
          rules,
          concurrency: INVOCATIONS_PER_POLLER,
          now: Date.now,
          invoke: (batch) => runBatch(batch, running),
          giveUp,
          onFailed: (records) => {
            stats.failedRecords += records;
            metrics.count('FailedInvokeEventCount', records);
          },
          onChange,
        }),
    });
    alive.add(poller);
    pollers.push(poller);
    try {
      await poller.ready;
    } catch (error) {
      alive.delete(poller);
      const at = pollers.indexOf(poller);
      if (at >= 0) pollers.splice(at, 1);
      throw error;
    }
  };

  const stop = async (poller: Poller, how: 'drained' | 'abruptly'): Promise<void> => {
    await poller.stop(how);
    alive.delete(poller);
  };

  const flushLag = async (): Promise<void> => {
    const [ends, committed] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      committedOffsets(admin, groupId, topic),
    ]);
    const lags = ends.map(({ partition, high, low }) => {
      const offset = committed.get(partition) ?? -1;
      return Math.max(0, Number(high) - (offset < 0 ? Number(low) : offset));
    });
    metrics.gauge('MaxOffsetLag', Math.max(0, ...lags));
    metrics.gauge(
      'SumOffsetLag',
      lags.reduce((sum, lag) => sum + lag, 0),
    );
  };

  return {
    mapping,
    setEnabled: async (enabled) => {
      if (enabled === isEnabled) return;
      isEnabled = enabled;
      if (!enabled) {
        await Promise.all(pollers.splice(0).map((poller) => stop(poller, 'drained')));
        return;
      }
      try {
        await commitStartingOffsets(kafka, admin, { topic, groupId, position: mapping.startingPosition });
        await Promise.all(Array.from({ length: wanted }, start));
      } catch (error) {
        // The state is read again. Some of several pollers may have joined.
        isEnabled = false;
        await Promise.all(pollers.splice(0).map((poller) => stop(poller, 'abruptly')));
        throw error;
      }
    },
    addPoller: async () => {
      wanted += 1;
      if (isEnabled) await start();
    },
    removePoller: async (how = 'drained') => {
      wanted = Math.max(0, wanted - 1);
      const poller = pollers.pop();
      if (poller) await stop(poller, how);
    },
    pollers: () => pollers.length,
    stats: () => ({ ...stats }),
    flushMetrics: async () => {
      if (!isEnabled) return;
      if (mapping.metrics?.includes('KafkaMetrics')) {
        await flushLag().catch(() => metrics.count('PollingErrorCount', 1));
      }
      metrics.gauge('ProvisionedPollers', pollers.length);
      metrics.gauge('EventPollerUnit', pollers.length / POLLERS_PER_UNIT);
      metrics.flush(Date.now());
    },
    close: async () => {
      isClosed = true;
      isEnabled = false;
      await Promise.all([...alive].map((poller) => stop(poller, 'abruptly')));
      await destination?.close();
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
