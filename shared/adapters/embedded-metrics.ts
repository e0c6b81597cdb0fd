import type { Clock } from '../ports/clock.ts';
import type { MetricName, Telemetry } from '../ports/telemetry.ts';

/** Metrics of an invocation. */
export interface EmbeddedMetrics {
  readonly count: Telemetry['count'];
  /** Writes out what was counted, and begins anew. */
  flush(): void;
}

/** What metrics are written with. */
export interface EmbeddedMetricsOptions {
  readonly namespace: string;
  /** The one dimension. */
  readonly service: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly write: (line: string) => void;
}

/**
 * Metrics as a line of the log, in CloudWatch's embedded metric format: one for all of an invocation, since a line per record would
 * cost more than all else that we do for it. Ours are fewer than the hundred that such a line may hold.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics({ namespace, service, clock, write }: EmbeddedMetricsOptions): EmbeddedMetrics {
  const counts = new Map<MetricName, number>();
  return {
    count: (metric, value = 1) => {
      const known = counts.get(metric) ?? 0;
      counts.set(metric, isTime(metric) ? Math.max(known, value) : known + value);
    },
    flush: () => {
      if (counts.size === 0) return;
      const metrics = [...counts.keys()].map((name) => ({ Name: name, Unit: isTime(name) ? 'Milliseconds' : 'Count' }));
      const definition = { Namespace: namespace, Dimensions: [['service']], Metrics: metrics };
      const line = { _aws: { Timestamp: clock.now(), CloudWatchMetrics: [definition] }, service };
      write(JSON.stringify({ ...line, ...Object.fromEntries(counts) }));
      counts.clear();
    },
  };
}

function isTime(metric: MetricName): boolean {
  return metric.endsWith('Ms');
}
