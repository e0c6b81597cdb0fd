import type { MetricGroup } from './mapping.ts';

/** Where the metrics of event source mappings go: the metrics bridge, or nowhere. */
export interface MetricsPort {
  put(metric: EsmMetric): void;
}

/** One value for CloudWatch, namespace `AWS/Lambda`, dimension `EventSourceMappingUUID`. */
export interface EsmMetric {
  readonly namespace: 'AWS/Lambda';
  readonly name: EsmMetricName;
  readonly value: number;
  readonly unit: 'Count' | 'Bytes';
  readonly dimensions: { readonly EventSourceMappingUUID: string };
  /** Epoch milliseconds. */
  readonly timestampMs: number;
}

/** The group of `MetricsConfig` that turns each metric on. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
const GROUPS = {
  PolledEventCount: 'EventCount',
  FilteredOutEventCount: 'EventCount',
  InvokedEventCount: 'EventCount',
  FailedInvokeEventCount: 'EventCount',
  DroppedEventCount: 'EventCount',
  OnFailureDestinationDeliveredEventCount: 'EventCount',
  CommittedEventCount: 'EventCount',
  PollingErrorCount: 'ErrorCount',
  InvokeErrorCount: 'ErrorCount',
  OnFailureDestinationDeliveryErrorCount: 'ErrorCount',
  CommitErrorCount: 'ErrorCount',
  MaxOffsetLag: 'KafkaMetrics',
  SumOffsetLag: 'KafkaMetrics',
  ProvisionedPollers: 'always',
  EventPollerUnit: 'always',
  EventPollerThroughputInBytes: 'always',
} as const satisfies Record<string, MetricGroup | 'always'>;

export type EsmMetricName = keyof typeof GROUPS;

/** A mapping's metrics: counted here, put together once an interval. */
export interface EsmMetrics {
  count(name: EsmMetricName, value: number): void;
  gauge(name: EsmMetricName, value: number): void;
  /** Hands everything counted since the last flush to the port; what is 0 is left out. */
  flush(nowMs: number): void;
}

export function esmMetrics(port: MetricsPort, uuid: string, groups: readonly MetricGroup[]): EsmMetrics {
  const sums = new Map<EsmMetricName, number>();
  const gauges = new Map<EsmMetricName, number>();
  const isOn = (name: EsmMetricName) => {
    const group = GROUPS[name];
    return group === 'always' || groups.includes(group);
  };
  return {
    count: (name, value) => {
      if (value > 0) sums.set(name, (sums.get(name) ?? 0) + value);
    },
    gauge: (name, value) => {
      gauges.set(name, value);
    },
    flush: (nowMs) => {
      for (const [name, value] of [...sums, ...gauges]) {
        if (!isOn(name)) continue;
        const unit = name === 'EventPollerThroughputInBytes' ? 'Bytes' : 'Count';
        const dimensions = { EventSourceMappingUUID: uuid };
        port.put({ namespace: 'AWS/Lambda', name, value, unit, dimensions, timestampMs: nowMs });
      }
      sums.clear();
      gauges.clear();
    },
  };
}
